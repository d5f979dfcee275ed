"""Stretches of a text: put in order, and written over."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Found(NamedTuple):
    """A stretch of a text, in code points.

    Attributes:
        start: its first character, from 0.
        end: one past its last.
        kind: what it is.
    """

    start: int
    end: int
    kind: str


def disjoint(spans: Iterable[Found]) -> list[Found]:
    """The spans in the order of the text; of two that overlap, the one that starts first, then the longer."""
    kept: list[Found] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.kind)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def replaced(text: str, spans: Sequence[Found], replacement: Callable[[Found], str]) -> str:
    """The text with each span, ordered and disjoint, given its replacement."""
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += text[at : span.start], replacement(span)
        at = span.end
    return "".join((*parts, text[at:]))


def starred(text: str, spans: Sequence[Found]) -> str:
    """The text, of the same length, with asterisks in the spans."""
    return replaced(text, spans, lambda span: "*" * (span.end - span.start))


def labelled(text: str, spans: Sequence[Found]) -> str:
    """The text with each span as its [kind]."""
    return replaced(text, spans, lambda span: f"[{span.kind}]")


def blanked(text: str, spans: Sequence[Found], *, blank: str = " ") -> str:
    """The text, of the same length, with blanks in the spans."""
    return replaced(text, spans, lambda span: blank * (span.end - span.start))
