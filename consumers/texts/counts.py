r"""How many characters, words and sentences a text has, in any script.

Words follow the default rules of Unicode's UAX #29 where those need no dictionary: letters, digits and marks between spaces are
one word, with an apostrophe, a hyphen or a full stop inside; each Han or Hiragana character is a word, a Katakana run is one. A run of Thai, Lao, Burmese or Khmer
between two spaces counts as one word, though it holds several: telling them apart takes a dictionary.
"""

import re
from dataclasses import dataclass
from functools import cache

from consumers.texts.scripts import HAN, HIRAGANA, KATAKANA, marks

_TERMINATORS = ".!?…‼⁇⁈⁉"
_UNSPACED_TERMINATORS = "。！？｡．।॥۔؟።။៕"
_CLOSERS = "\"'”’»)\\]」』）"


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of a text.

    Attributes:
        characters: Unicode code points.
        words: see the module.
        sentences: stretches with a word in them, ended by a terminator, an empty line or the text's end.
    """

    characters: int
    words: int
    sentences: int


def count(text: str) -> Counts:
    """The text's sizes, in linear time."""
    words = sum(1 for _ in word_pattern().finditer(text))
    sentences = sum(1 for part in sentence_end().split(text) if word_pattern().search(part))
    return Counts(characters=len(text), words=words, sentences=sentences)


@cache
def word_pattern() -> re.Pattern[str]:
    """One word."""
    spaced = rf"(?:[^\W_{HAN}{HIRAGANA}{KATAKANA}]|[{marks()}])"
    joiner = r"(?:['’.\-]|(?<=[0-9]),(?=[0-9]))"
    return re.compile(rf"{spaced}++(?:{joiner}{spaced}++)*+|[{KATAKANA}]++|[{HAN}{HIRAGANA}]")


@cache
def sentence_end() -> re.Pattern[str]:
    """Between two sentences. A full stop in a number or before a small letter ends none ("3.14", "e.g. this"), nor does one after an initial or a title."""
    titles = "".join(rf"(?<!\b{title}(?=\.))" for title in ("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Nr", "[A-Z]"))
    stop = rf"(?<![{_TERMINATORS}]){titles}[{_TERMINATORS}]++[{_CLOSERS}]*+(?=\s++[^\w{_TERMINATORS}]{{0,8}}+[^\Wa-zß-ÿά-ώа-џ])"
    return re.compile(rf"{stop}|[{_UNSPACED_TERMINATORS}]++[{_CLOSERS}]*+|\n\s*?\n")
