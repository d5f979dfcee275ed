"""The query of `headrace dlq`: terms `field:value` with blanks between them, all of which must hold; pure.

`agent:images error:"no such file" since:@-1h key:42 topic:images.uploaded state:open`. A value with blanks is quoted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from schemas.errors import HeadraceError
from streams.dead_letters.letters import Letter
from streams.dead_letters.states import State
from streams.positions import PositionError, parse

Wanted = Literal["open", "redriven", "discarded", "all"]
FIELDS = {
    "agent": "the agent's name",
    "error": "a part of the error's class or message, in either case",
    "key": "the record's key; hex:ff00 for one that is no text",
    "since": "dead-lettered then or later, a time such as @-1h or @2026-11-22T10:00:00Z",
    "state": f"one of {', '.join(get_args(Wanted))}; open by default",
    "topic": "the topic that the record came from, without the prefix",
    "until": "dead-lettered before then, a time as for since",
}
_TERM = re.compile(r'([^\s:"]*)(:?)(?:"([^"]*)"|([^\s"]*))(?=\s|$)')


class QueryError(HeadraceError):
    """Raised when a text is no query; lists every problem, and the fields that are known."""

    exit_code = 2

    def __init__(self, text: str, problems: list[str]) -> None:
        self.problems = problems
        known = "\n".join(f"  {name + ':':7} {what}" for name, what in FIELDS.items())
        super().__init__("\n".join([f"the query {text!r}: {'; '.join(problems)}. The fields are:", known]))


@dataclass(frozen=True, slots=True)
class Query:
    """Which letters are meant; every part that is not empty must hold.

    Attributes:
        agents: names; more than one never hold at once.
        errors: parts of the class or the message, in lower case.
        keys: as a letter's key is written.
        topics: of the origin, without the prefix.
        since_ms: the last failure was then or later, in milliseconds since the epoch.
        until_ms: the last failure was before.
        state: asked apart, since a letter does not know it; None stands for open.
    """

    agents: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    state: Wanted | None = None

    def matches(self, letter: Letter) -> bool:
        """Whether all holds but the state."""
        told = f"{letter.error_class}\n{letter.error_message}".lower()
        return (
            self.agents <= {letter.id.agent}
            and self.topics <= {letter.id.topic}
            and (not self.keys or self.keys == {key_text(letter.key)})
            and all(error in told for error in self.errors)
            and (self.since_ms is None or letter.last_failure_ms >= self.since_ms)
            and (self.until_ms is None or letter.last_failure_ms < self.until_ms)
        )

    def wants(self, state: State) -> bool:
        """Whether a letter of that state is meant."""
        return (self.state or "open") in {"all", state}


def key_text(key: bytes | None) -> str | None:
    """A key as it is shown and searched: text, or hex: and its bytes."""
    if key is None:
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return f"hex:{key.hex()}"


def parse_query(text: str, *, now_ms: int) -> Query:
    """The query of a text; the empty text means every open letter.

    Args:
        text: in the grammar above.
        now_ms: what `@-1h` counts from, in milliseconds since the epoch.

    Raises:
        QueryError: naming every term that is none.
    """
    query, problems, place = Query(), list[str](), 0
    stripped = text.strip()
    while place < len(stripped):
        term = _TERM.match(stripped, place)
        if term is None:
            problems.append(f"a quotation mark is missing, or out of place, in {stripped[place:]!r}")
            break
        quoted, plain = term[3], term[4]
        try:
            query = _with(query, term[1] if term[2] else "", plain if quoted is None else quoted, term[0], now_ms)
        except ValueError as error:
            problems.append(str(error))
        place = term.end() + len(stripped[term.end() :]) - len(stripped[term.end() :].lstrip())
    if problems:
        raise QueryError(text, problems)
    return query


def _with(query: Query, field: str, value: str, term: str, now_ms: int) -> Query:
    """The query with one term more; a ValueError tells what is wrong with it."""
    if field not in FIELDS:
        raise ValueError(f"there is no field {field!r}" if field else f"{term!r} is not of the form field:value")
    if not value:
        raise ValueError(f"{field}: has no value")
    return _ADDED[field](query, value, now_ms)


def _since(query: Query, value: str, now_ms: int) -> Query:
    return replace(query, since_ms=max(_time(value, now_ms), query.since_ms or 0))


def _until(query: Query, value: str, now_ms: int) -> Query:
    until_ms = _time(value, now_ms)
    return replace(query, until_ms=until_ms if query.until_ms is None else min(until_ms, query.until_ms))


def _state(query: Query, value: str, _now_ms: int) -> Query:
    found = next((state for state in get_args(Wanted) if state == value), None)
    if found is None:
        raise ValueError(f"there is no state {value!r}, only {', '.join(get_args(Wanted))}")
    if query.state not in {None, found}:
        raise ValueError(f"no letter is {query.state} and {found} at once; state:all means every one")
    return replace(query, state=found)


def _time(value: str, now_ms: int) -> int:
    try:
        position = parse(value, now_ms=now_ms)
    except PositionError:
        position = None
    if position is None or position.kind != "time":
        raise ValueError(f"{value!r} is no time such as @-1h or @2026-11-22T10:00:00Z")
    return position.number


_ADDED: dict[str, Callable[[Query, str, int], Query]] = {
    "agent": lambda query, value, _: replace(query, agents=query.agents | {value}),
    "error": lambda query, value, _: replace(query, errors=query.errors | {value.lower()}),
    "key": lambda query, value, _: replace(query, keys=query.keys | {value}),
    "since": _since,
    "state": _state,
    "topic": lambda query, value, _: replace(query, topics=query.topics | {value}),
    "until": _until,
}
