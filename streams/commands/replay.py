"""`headrace replay`: a range of a topic worked on again; resume, list and cancel its jobs."""

import sys
from typing import Any

import click
import msgspec

from streams.commands import asking
from streams.commands import output as printing

_PLAN = ["partition", "from", "to", "records"]
_JOBS = ["job", "mode", "topic", "agent", "from", "to", "state", "done", "records", "failures", "created", "said"]


class _Whole(click.Context):
    """Of the command that begins a replay, whose name nobody types."""

    @property
    def command_path(self) -> str:
        """What stands before its arguments."""
        return self.parent.command_path if self.parent else "replay"


class _Begin(click.Command):
    """The command that begins a replay."""

    context_class = _Whole


class _Replay(click.Group):
    """`replay TOPIC …`, beside its verbs: whatever is none of them begins a replay."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; a broker that stops answering in the midst is told as such, and not by a traceback."""
        from confluent_kafka import KafkaException

        from consumers.runtime.broker_view import reason_of
        from schemas.errors import TimedOutError

        try:
            return super().invoke(ctx)
        except (KafkaException, TimeoutError) as error:
            raise TimedOutError(f"the broker does not answer: {reason_of(error)}") from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command that begins one before its own arguments."""
        if not args or args[0] not in self.commands:
            args = ["start", *args]
        return super().parse_args(ctx, args)


@click.group("replay", cls=_Replay, add_help_option=False)
def command() -> None:
    """Work on a range of a topic again.

    \b
    Examples:
      headrace replay texts.posted --from @-1h
      headrace replay list
    """


@command.command("start", cls=_Begin, options_metavar="--from POSITION [OPTIONS]")
@click.argument("topic")
@click.option(
    "--from", "start", metavar="POSITION", required=True, help="Where to begin: start, 47, +2, -3, @-1h, @TIME, or a:b."
)
@click.option("--to", "end", metavar="POSITION", help="Where to end, exclusive; by default where the topic ends now.")
@click.option("--agent", metavar="AGENT", help="Who works on it; needed only where several agents read TOPIC.")
@click.option("--key", metavar="KEY", help="Only records of this key; hex:… for one that is no text.")
@click.option(
    "--where", metavar="EXPR", help="Only records whose fields are so: kind=purchase,duration_ms>100 (comma: and)."
)
@click.option(
    "--mode", type=click.Choice(["shadow", "rewind", "republish"]), default="shadow", show_default=True,
    help="shadow: in a group of its own, results aside. rewind: set the live group back. republish: copy to --to-topic.",
)  # fmt: skip
@click.option("--to-topic", metavar="TOPIC", help="Of a republish: the topic to copy to.")
@click.option("--publish", is_flag=True, help="Of a shadow: put results into the live topic, not aside.")
@click.option("--pause", is_flag=True, help="Of a rewind: close the agent's consumers on every worker meanwhile.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N records a second.")
@click.option("--catalogue", metavar="MODULE", help="A module of your own agents (HEADRACE_CATALOGUE).")
@asking.dry_run_option
@asking.yes_option
@printing.option
def start(
    *,
    catalogue: str | None,
    dry_run: bool,
    yes: bool,
    output: printing.Format,
    start: str,
    end: str | None,
    **asked: Any,
) -> int:
    """Work on the records of TOPIC from one position to another again. Its jobs: replay list, resume JOB, cancel JOB.

    By default a shadow: the live group is untouched, results go to <result topic>.replay.<job>. Activity is counted anew by
    window, and its rows are replaced at once. Ctrl-C leaves a job that `resume` ends exactly where it should.

    \b
    Examples:
      headrace replay texts.posted --from @-1h
      headrace replay images.uploaded --from 1000 --to 2000 --dry-run
      headrace replay activity.recorded --from @-2h --where kind=purchase --mode republish --to-topic purchases
      headrace replay texts.posted --from @2026-11-22T10:00:00Z --mode rewind --pause --yes
    """
    from schemas.catalogue import load_catalogue
    from streams.replay.request import Request, prepare
    from streams.replay.running import execute

    settings = _settings(catalogue)
    loaded = load_catalogue(settings.catalogue)
    asked["topic"] = settings.names.bare(asked["topic"])
    prepared = prepare(Request(start=start, end=end, **asked), settings, loaded)
    printing.rows(prepared.rows, output, columns=list(prepared.rows[0]) if prepared.rows else _PLAN)
    sys.stdout.flush()
    for note in prepared.notes:
        click.echo(note, err=True)
    if not prepared.job.records and prepared.job.mode != "rewind":
        click.echo("there is nothing in this range", err=True)
        return 0
    if dry_run:
        return 0
    asking.ask("Go on?", yes=yes)
    return execute(prepared.job, settings)


@command.command("resume")
@click.argument("job")
@click.option("--catalogue", metavar="MODULE", help="A module of your own agents (HEADRACE_CATALOGUE).")
def resume(job: str, *, catalogue: str | None) -> int:
    """Go on with JOB where it was left, to exactly where it was to end.

    \b
    Examples:
      headrace replay list
      headrace replay resume 5f0c2a91
    """
    from schemas.errors import ConfigurationError
    from streams.replay import jobs_topic
    from streams.replay.job import OPEN
    from streams.replay.running import execute

    settings = _settings(catalogue)
    found = jobs_topic.named(settings, job)
    if found.state not in OPEN:
        raise ConfigurationError([f"job {job} is {found.state}: there is nothing to go on with"])
    return execute(found, settings)


@command.command("list")
@printing.option
def list_(*, output: printing.Format) -> None:
    """Show every job: what was asked, its state and its progress.

    \b
    Examples:
      headrace replay list
      headrace replay list -o jsonl
    """
    from streams.replay import jobs_topic
    from streams.replay.running import reached

    settings = _settings(None)
    jobs = jobs_topic.every(settings)
    if not jobs and output == "table":
        click.echo("there are no jobs; headrace replay -h shows how to begin one", err=True)
        return
    rows = [_row(job, reached(job, settings) if job.state == "running" else job.done) for job in jobs]
    printing.rows(rows, output, columns=_JOBS, unbroken=["job"])


@command.command("cancel")
@click.argument("job")
@asking.yes_option
def cancel(job: str, *, yes: bool) -> None:
    """End JOB for good and delete its group. Topics that it made are left.

    \b
    Examples:
      headrace replay list
      headrace replay cancel 5f0c2a91 --yes
    """
    from streams.replay import jobs_topic
    from streams.replay.cancelling import cancel as cancelled

    settings = _settings(None)
    found = jobs_topic.named(settings, job)
    click.echo(f"cancels the {found.mode} of {found.topic} ({found.state}) and deletes its group", err=True)
    asking.ask("Go on?", yes=yes)
    click.echo(cancelled(found, settings), err=True)


def _settings(catalogue: str | None) -> Any:
    """The settings, once the broker answers; the runtime's log goes to stderr, from warnings on."""
    from producers.kafka import check_broker
    from schemas.settings import from_environment
    from streams import logs

    settings = from_environment()
    settings = msgspec.structs.replace(settings, catalogue=catalogue or settings.catalogue)
    logs.configure("WARNING" if settings.log_level == "INFO" else settings.log_level)
    check_broker(settings)
    return settings


def _row(job: Any, done: int) -> dict[str, Any]:
    from streams.shown import time_text

    row: dict[str, Any] = msgspec.to_builtins(job)
    asked = {"job": row.pop("id"), "from": row.pop("start"), "to": row.pop("end")}
    return {**asked, **row, "done": done, "records": job.records, "created": time_text(job.created_ms)}
