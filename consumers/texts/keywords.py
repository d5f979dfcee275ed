"""What a text is about, in up to ten of its words.

The weight of a word is its number of occurrences, half a point more where it is long; a pair of words that recurs goes
before its parts, after RAKE's idea (Rose et al., 2010) that what stands together belongs together. Stop words and numbers don't count.
Scripts without spaces are cut at stop words and at changes of script: Japanese into its Han and Katakana runs, Chinese and Thai
into what stands between function words, and long Chinese runs into pairs of characters.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from consumers.texts.counts import word_pattern
from consumers.texts.scripts import HAN, KATAKANA, SOUTH_EAST_ASIAN
from consumers.texts.stopwords import own_stop_words, stop_words

MOST = 10
_LONGEST, _SHORTEST = 40, 3
_LONG_WORD = 7
_HAN_RUN = 4
_KOREAN_ENDING = re.compile(r"(?<=[가-힣]{2})(?:에서|으로|은|는|이|가|을|를|에|의|도|로|와|과)$")
_SHORT_SCRIPT = re.compile("[\u0590-\u06ff\u0900-\u0dff\uac00-\ud7af]")
"""Two letters are a word in Hebrew, Arabic, the Indic scripts and Korean."""
_HAN = re.compile(f"[{HAN}]")
_PAIR_FROM = 2


def keywords(text: str, *, language: str) -> tuple[str, ...]:
    """Up to ten keywords in small letters, the heaviest first; of equal weight, the one that comes first in the text.

    Args:
        text: any text.
        language: its ISO 639 code, which chooses the stop words.
    """
    lowered = text.lower()
    words = list(_words(lowered, language))
    counted = Counter(word for word in words if word)
    pairs = Counter(f"{one} {two}" for one, two in pairwise(words) if one and two and one != two)
    recurring = {pair: count for pair, count in pairs.items() if count >= _PAIR_FROM}
    inside = {part for pair, count in recurring.items() for part in pair.split() if counted[part] == count}
    weighed = {word: count + 0.5 * (len(word) >= _LONG_WORD) for word, count in counted.items() if word not in inside}
    weighed |= {pair: 2.0 * count for pair, count in recurring.items()}
    runs = Counter(run for run in _unspaced(lowered, language) if len(run) <= _LONGEST)
    weighed |= {run: count + 0.5 * (len(run) > 1) for run, count in runs.items()}
    ranked = sorted(weighed, key=lambda word: -weighed[word])[:MOST]  # stable: dictionaries keep the order of the text
    return tuple(ranked)


def _words(text: str, language: str) -> Iterator[str | None]:
    """The words between spaces, in order; None where a pair is broken: at a stop word, and at the end of a sentence."""
    stops = stop_words(language)
    end = 0
    for match in _spaced_word().finditer(text):
        if not text[end : match.start()].isspace():
            yield None
        end = match.end()
        word = _without_article(match[0].replace("’", "'").removesuffix("'s"), stops)
        word = _KOREAN_ENDING.sub("", word) if language == "ko" else word
        yield word if _tells(word, stops) else None


def _tells(word: str, stops: frozenset[str]) -> bool:
    shortest = 2 if _SHORT_SCRIPT.match(word) else _SHORTEST
    return shortest <= len(word) <= _LONGEST and word not in stops and not word[0].isdigit()


def _without_article(word: str, stops: frozenset[str]) -> str:
    """The noun of "l'écran" and "dell'anno"; of "didn't", whose parts are both stop words, the last."""
    first, apostrophe, last = word.rpartition("'")
    return last if apostrophe and first in stops else word


def _unspaced(text: str, language: str) -> Iterator[str]:
    """Candidates of scripts without spaces."""
    for match in _unspaced_run().finditer(text):
        for run in _stops_between(language).split(match[0]) if own_stop_words(language) else (match[0],):
            if len(run) <= 1:
                continue
            if _HAN.match(run) and len(run) > _HAN_RUN:
                yield from (run[at : at + 2] for at in range(0, len(run) - 1, 2))
            else:
                yield run


@cache
def _spaced_word() -> re.Pattern[str]:
    """A word as it is counted, unless its script has no spaces."""
    return re.compile(rf"(?![{HAN}{KATAKANA}{SOUTH_EAST_ASIAN}\u3041-\u309f])(?:{word_pattern().pattern})")


@cache
def _unspaced_run() -> re.Pattern[str]:
    return re.compile(f"[{HAN}]+|[{KATAKANA}]+|[{SOUTH_EAST_ASIAN}]+")


@cache
def _stops_between(language: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, own_stop_words(language))))
