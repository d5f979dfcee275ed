"""`headrace dlq redrive` and `discard`: plan, ask, do, tell."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from streams.commands import output as listing
from streams.commands.asking import ask, check_may_ask, dry_run_option, yes_option
from streams.commands.dlq_options import all_option, catalogue_option, ids_argument, query_option

if TYPE_CHECKING:
    from streams.dead_letters.desk import Desk
    from streams.dead_letters.errands import Errand, Tally
    from streams.dead_letters.letters import LetterId
    from streams.dead_letters.plans import Plan
    from streams.dead_letters.routes import Route

_COLUMNS = ["agent", "error", "letters"]


@click.command("redrive", short_help="Send dead letters to their agents again.")
@ids_argument
@query_option
@all_option
@click.option("--to-origin", is_flag=True, help="To the topics they came from, where other groups read them again too.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N letters a second.")
@click.option(
    "--max-redrives", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
    help="Leave out what came back N times.",
)  # fmt: skip
@click.option("--edit", is_flag=True, help="Correct the value in $VISUAL or $EDITOR before it is sent; for one ID.")
@dry_run_option
@yes_option
@catalogue_option
@listing.option
def redrive(
    ids: tuple[str, ...],
    *,
    query: str | None,
    every: bool,
    to_origin: bool,
    rate: float | None,
    max_redrives: int,
    edit: bool,
    dry_run: bool,
    yes: bool,
    catalogue: str | None,
    output: listing.Format,
) -> int:
    """Send dead letters to their agents again: by ID, by query, or all that are open.

    They go to the agent alone, due at once, those of one key in the order of their offsets. Each is sent and recorded as redriven
    in one transaction, so that another run never sends it again, though this one be killed. A newer run ends an older one, and
    goes on where that has stopped.

    \b
    Examples:
      headrace dlq redrive images/images.uploaded/0/17 --edit
      headrace dlq redrive -q 'agent:images error:Truncated' --dry-run
      headrace dlq redrive --all --rate 50 --yes
      headrace dlq redrive -q agent:text --to-origin
    """
    from streams.dead_letters import plans
    from streams.dead_letters.desk import open_desk
    from streams.dead_letters.selection import select_for_change

    if edit and (len(ids) != 1 or query is not None or every):
        raise click.UsageError("--edit is for one letter, named by its ID")
    selection = select_for_change(ids, query, every=every, now_ms=_now_ms())
    with open_desk(selection, catalogue) as desk:
        routes = desk.routes(to_origin=to_origin)
        plan = plans.plan_redrive(selection.wanted(desk.filed), routes, max_redrives=max_redrives)
        readers = desk.readers(plan, routes)
        _show(
            plan,
            plans.rows(plan, routes, readers),
            [*_COLUMNS, "to", *(["seen_again_by"] if to_origin else [])],
            output,
        )
        if not plan.letters or dry_run:
            return _nothing(plan, "redrive", dry_run=dry_run)
        values = _edited(desk, plan, yes=yes) if edit else {}
        ask(f"Send {_count(len(plan.letters))} again?", yes=yes)
        errands = _redrives(desk, plan, routes, values, rate)
        tally = _run(desk, plan, errands, verb="redrive", rate=rate)
    return _told(tally, len(plan.letters), "sent again")


@click.command("discard", short_help="Put dead letters aside.")
@ids_argument
@query_option
@all_option
@dry_run_option
@yes_option
@catalogue_option
@listing.option
def discard(
    ids: tuple[str, ...],
    *,
    query: str | None,
    every: bool,
    dry_run: bool,
    yes: bool,
    catalogue: str | None,
    output: listing.Format,
) -> int:
    """Put dead letters aside: they are listed no longer, and stay in their topic.

    A discarded letter can still be shown and redriven, by its ID or by state:discarded.

    \b
    Examples:
      headrace dlq discard images/images.uploaded/0/17
      headrace dlq discard -q 'agent:text until:@-30d' --dry-run
      headrace dlq discard --all --yes
    """
    from streams.dead_letters import plans
    from streams.dead_letters.desk import open_desk
    from streams.dead_letters.selection import select_for_change

    selection = select_for_change(ids, query, every=every, now_ms=_now_ms())
    with open_desk(selection, catalogue) as desk:
        plan = plans.plan_discard(selection.wanted(desk.filed))
        _show(plan, plans.rows(plan), _COLUMNS, output)
        if not plan.letters or dry_run:
            return _nothing(plan, "discard", dry_run=dry_run)
        ask(f"Discard {_count(len(plan.letters))}?", yes=yes)
        tally = _run(desk, plan, _discards(plan), verb="discard")
    return _told(tally, len(plan.letters), "discarded")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _show(plan: "Plan", rows: list[dict[str, Any]], columns: Sequence[str], output: listing.Format) -> None:
    """The plan on stdout, what it leaves out on stderr."""
    if rows or output != "table":
        listing.rows(rows, output, columns=columns)
        sys.stdout.flush()
    _tell_left_out(plan.left_out)


def _tell_left_out(left_out: Mapping[str, int]) -> None:
    for reason, count in sorted(left_out.items()):
        click.echo(f"left out: {_count(count)} {reason}", err=True)


def _nothing(plan: "Plan", verb: str, *, dry_run: bool) -> int:
    if not plan.letters:
        click.echo(f"there is nothing to {verb}", err=True)
    elif dry_run:
        click.echo("nothing was done: this was a dry run", err=True)
    return 0


def _edited(desk: "Desk", plan: "Plan", *, yes: bool) -> dict["LetterId", bytes]:
    """The values that the operator made of the plan's letters."""
    from streams.dead_letters.editing import edited, editor_of
    from streams.dead_letters.letters import value_of

    check_may_ask(yes=yes)
    editor, names = editor_of(os.environ), desk.settings.names
    values = {}
    for letter, message in desk.boxes.fetch(plan.letters):
        topic = names.topic(letter.id.topic)
        before = value_of(message)
        values[letter.id] = edited(before, desk.codec, topic=topic, editor=editor, ask=_once_more)
        click.echo(f"{letter.id}: the value is {'as it was' if values[letter.id] == before else 'edited'}", err=True)
    return values


def _once_more(fault: str) -> bool:
    if not sys.stdin.isatty():
        return False
    click.echo(f"the edited value does not fit: {listing.escaped(fault)}", err=True)
    return click.confirm("Edit it again?", default=True, err=True)


def _redrives(
    desk: "Desk",
    plan: "Plan",
    routes: Mapping[str, "Route"],
    values: Mapping["LetterId", bytes],
    rate: float | None,
) -> Iterator["Errand"]:
    """The errands of a plan: those of one key in the order of their offsets, at most `rate` a second."""
    from streams.dead_letters.errands import Errand
    from streams.dead_letters.letters import value_of
    from streams.dead_letters.ordering import in_order
    from streams.publishing import paced

    found = in_order(desk.boxes.fetch(plan.letters), plan.letters)
    for letter, message in paced(found, rate) if rate else found:
        value = values.get(letter.id, value_of(message))
        record = routes[letter.id.agent].record_of(letter, message, value=value)
        yield Errand(letter, "redriven", letter.redrives + 1, record)


def _discards(plan: "Plan") -> Iterator["Errand"]:
    from streams.dead_letters.errands import Errand

    for letter in plan.letters:
        yield Errand(letter, "discarded", letter.redrives)


def _run(desk: "Desk", plan: "Plan", errands: Iterable["Errand"], *, verb: str, rate: float | None = None) -> "Tally":
    """Run a plan's errands, behind a progress bar where a person may have to wait.

    First every older run is ended; then what somebody has done with the letters meanwhile is seen, and is final.
    """
    from schemas.names import DEAD_LETTERS_TOPIC
    from streams.dead_letters.errands import Errands, open_sender

    sender = open_sender(desk.settings, verb)
    try:
        told = plan.left_out.copy()
        desk.recheck(plan)
        _tell_left_out(plan.left_out - told)
        with _bar(len(plan.letters)) as advance:
            states_topic = desk.settings.names.topic(DEAD_LETTERS_TOPIC)
            return Errands(sender, states_topic, rate=rate, told=advance).run(errands)
    finally:
        sender.close()


@contextmanager
def _bar(count: int) -> Iterator[Callable[[], None]]:
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("dead letters", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=count)
        yield lambda: progress.advance(task)


def _told(tally: "Tally", count: int, done: str) -> int:
    """What came of it, on stderr, and the exit code."""
    for reason in tally.reasons:
        click.echo(listing.escaped(reason), err=True)
    if tally.failed > len(tally.reasons):
        click.echo(f"and {tally.failed - len(tally.reasons):,} more", err=True)
    said = f"{_count(tally.done)} {done}"
    if tally.failed:
        said += f", {tally.failed:,} not: run it again once the cause is mended"
    if tally.stopped:
        said += f"; {tally.stopped} with {count - tally.done - tally.failed:,} to go: run it again for the rest"
    elif gone := count - tally.done - tally.failed:
        said += f"; {gone:,} no longer in the dead-letter topic"
    click.echo(said, err=True)
    return 0 if tally.done == count else 1


def _count(number: int) -> str:
    return f"{number:,} {'letter' if number == 1 else 'letters'}"
