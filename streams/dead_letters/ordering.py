"""Letters of one key in the order of their offsets, whatever order they lie in; pure."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from streams.dead_letters.letters import Letter, LetterId

T = TypeVar("T")
_Line = tuple[str, str, bytes]


def in_order(found: Iterable[tuple[Letter, T]], wanted: Iterable[Letter]) -> Iterator[tuple[Letter, T]]:
    """What was found, with each key's letters by partition and offset of their origin.

    A letter is held back, with what comes with it, while one of its key from before it is still to come. Letters lie nearly
    in order, as their agents work in order, so that little is held: a sort would hold them all.

    Args:
        found: letters that are wanted, in any order, each once.
        wanted: all that may come; whatever never comes holds nothing back for ever.
    """
    lines = _lines(wanted)
    held: dict[LetterId, tuple[Letter, T]] = {}
    for letter, item in found:
        if letter.key is None:  # no order is promised without a key
            yield letter, item
            continue
        line = lines[_line_of(letter, letter.key)]
        held[letter.id] = letter, item
        while line and line[0] in held:
            yield held.pop(line.popleft())
    yield from (held[letter_id] for letter_id in sorted(held))


def _lines(wanted: Iterable[Letter]) -> dict[_Line, deque[LetterId]]:
    lines: dict[_Line, list[LetterId]] = defaultdict(list)
    for letter in wanted:
        if letter.key is not None:
            lines[_line_of(letter, letter.key)].append(letter.id)
    return {line: deque(sorted(ids)) for line, ids in lines.items()}


def _line_of(letter: Letter, key: bytes) -> _Line:
    return letter.id.agent, letter.id.topic, key
