"""How a word may be written and still be read as itself: digits and signs for letters, letters drawn out."""

import re
from dataclasses import dataclass

LEET_SIGNS = "@$!|+€"
_LEET = str.maketrans("01345789" + LEET_SIGNS, "oieastbg" + "asiite")
_ONE_CLASS = str.maketrans("l", "i")
"""1, ! and | are written for i and for l: both have one key, and `reads_as` tells them apart."""
_RUN = re.compile(r"(.)\1*+", re.DOTALL)
_REPEATED = re.compile(r"(.)\1++", re.DOTALL)
_VOWELS_TWICE = frozenset(vowel * 2 for vowel in "aeiou")
_DRAWN_OUT = 3
"""So many of a letter in a row stand for one or two of it: no word of the lists' languages has three."""
_VOWEL_FROM = 4
"""In words of so many letters a vowel may also be doubled ("shiit"); in shorter ones that makes other words: "god", "good"."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A folded word and its runs of letters.

    Attributes:
        entry: how the list writes the word.
        key: one letter a run, i for l: words that may be each other have the same.
        runs: the letters, as written, run by run.
    """

    entry: str
    key: str
    runs: tuple[str, ...]

    @classmethod
    def of(cls, folded: str, *, entry: str = "") -> "Spelling":
        """The spelling of a folded word; leet signs become letters in the key, and stay themselves in the runs."""
        plain = folded.translate(_LEET).translate(_ONE_CLASS)
        runs = tuple(folded[run.start() : run.end()] for run in _RUN.finditer(plain))
        return cls(entry, _REPEATED.sub(r"\1", plain), runs)

    def reads_as(self, word: "Spelling") -> bool:
        """Whether this, from a text, may be read as that word of a list."""
        if self.key != word.key:
            return False
        long = sum(map(len, word.runs)) >= _VOWEL_FROM
        return all(_run_reads_as(have, want, vowels=long) for have, want in zip(self.runs, word.runs, strict=True))


def key_of(folded: str) -> str:
    """The key alone: most words of a text are none of a list's, and need no more."""
    return _REPEATED.sub(r"\1", folded.translate(_LEET).translate(_ONE_CLASS))


def _run_reads_as(have: str, want: str, *, vowels: bool) -> bool:
    if "i" in have and "l" in want and "i" not in want:
        return False  # Kian is no spelling of a word with l; an l for an i ("fucklng") is
    if len(have) == len(want):
        return True
    if len(have) < len(want) or len(set(have)) > 1:
        return False
    return len(have) >= _DRAWN_OUT or (vowels and have in _VOWELS_TWICE)
