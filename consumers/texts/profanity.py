"""Profane words, found through disguises: leetspeak, look-alike letters, invisible characters, letters drawn out or spaced.

Whole words only, so that neither Scunthorpe nor a classic bass is masked; scripts without spaces have no whole words, and
their lists are sought anywhere. Time is linear: each word of a text is looked up once.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from consumers.texts.folding import fold, without_ignored
from consumers.texts.language import UNDETERMINED
from consumers.texts.scripts import marks
from consumers.texts.spans import Found, disjoint
from consumers.texts.spelling import LEET_SIGNS, Spelling, key_of
from consumers.texts.wordlist import ALLOWED, Phrase, WordList, spelled, word_list

_SPELLED_OUT = re.compile(r"(?<![^\W_])[^\W_]([ .*\-])[^\W_](?![^\W_])(?:\1[^\W_](?![^\W_]))++")
_PHRASE_GAP = re.compile(r"[\s\-_.,'’]{1,3}")
_EDGE = LEET_SIGNS + "0123456789"
_LONGEST_TOKEN = 64
_REMEMBERED = 1 << 16
"""Tokens whose verdict is kept by this process for each list, some 10 MB: the words of a language come again and again."""


def find(text: str, *, language: str = UNDETERMINED, folder: Path | None = None) -> list[Found]:
    """Profane words in the text, in its order, disjoint; the kind is the list's entry.

    Args:
        text: any text.
        language: its ISO 639 code, which chooses the list; "und" for all lists.
        folder: a user's further lists, see `wordlist`.

    Raises:
        ConfigurationError: if the folder is wrong.
        MissingExtraError: if better-profanity is not installed.
    """
    compact, places = without_ignored(text)
    found = disjoint(_dictionary(language, folder).spans(compact))
    if places is None:
        return found
    return [Found(places[span.start], places[span.end], span.kind) for span in found]


class _Dictionary:
    """A list made ready for texts; the verdict on a token is remembered from text to text."""

    def __init__(self, listed: WordList) -> None:
        self._listed = listed
        self._verdict = lru_cache(_REMEMBERED)(self._look_up)

    def spans(self, text: str) -> Iterator[Found]:
        """All that is found in a text, overlapping spans too."""
        folded = fold(text)
        yield from self._words(text, folded)
        yield from self._spelled_out(folded)
        if self._listed.unspaced_pattern:
            for match in self._listed.unspaced_pattern.finditer(folded):
                yield Found(match.start(), match.end(), self._listed.unspaced[match[0]])

    def _words(self, text: str, folded: str) -> Iterator[Found]:
        allowed_until = 0
        for match in _token().finditer(folded):
            token, start = match[0], match.start()
            verdict = self._verdict(token) if len(token) <= _LONGEST_TOKEN else None
            if verdict is None or start < allowed_until:
                continue
            word, phrases = verdict
            phrase = _first_phrase(folded, match, phrases) if phrases else None
            if phrase and phrase.kind == ALLOWED:
                allowed_until = phrase.end
            elif phrase:
                yield phrase
            elif word:
                span = Found(start + word.start, start + word.end, word.kind)
                if spelled(text[span.start : span.end]) not in self._listed.allowed:
                    yield span

    def _look_up(self, token: str) -> tuple[Found | None, list[Phrase]] | None:
        """The profane word that a token is, or holds between signs and digits; and the phrases that may begin with it."""
        cores = ((start, end, self._entry(token[start:end])) for start, end in _cores(token))
        word = next((Found(start, end, entry) for start, end, entry in cores if entry), None)
        phrases = self._listed.phrases.get(key_of(token), [])
        return (word, phrases) if word or phrases else None

    def _entry(self, folded: str) -> str | None:
        words = self._listed.words.get(key_of(folded))
        if not words or not any(map(str.isalpha, folded)):
            return None
        written = Spelling.of(folded)
        return next((word.entry for word in words if written.reads_as(word)), None)

    def _spelled_out(self, folded: str) -> Iterator[Found]:
        for match in _SPELLED_OUT.finditer(folded):
            letters = match[0][::2][: _LONGEST_TOKEN + 1]
            # "I f u c k": a letter that is a word by itself may stand before.
            for skipped in (0, 1) if letters[0] in "ai" or not letters[0].isascii() else (0,):
                if len(letters) <= _LONGEST_TOKEN and (entry := self._entry(letters[skipped:])):
                    yield Found(match.start() + 2 * skipped, match.end(), entry)


def _first_phrase(folded: str, first: re.Match[str], phrases: list[Phrase]) -> Found | None:
    """The longest of the phrases that begins with this token; its kind is ALLOWED if it is to be left alone."""
    tokens, following = [first], _following(folded, first)
    for phrase in phrases:
        while len(tokens) < len(phrase.parts) and (token := next(following, None)):
            tokens.append(token)
        end = _phrase_end(tokens, phrase)
        if end is not None:
            return Found(first.start(), end, phrase.entry)
    return None


def _phrase_end(tokens: list[re.Match[str]], phrase: Phrase) -> int | None:
    """Where the phrase ends, if the tokens begin with it; signs after its last word, as in "blow job!", are no part of it."""
    if len(tokens) < len(phrase.parts):
        return None
    *before, last = tokens[: len(phrase.parts)]
    if not all(_spelling(token[0]).reads_as(part) for token, part in zip(before, phrase.parts, strict=False)):
        return None
    for word in (last[0], last[0].rstrip(LEET_SIGNS)):
        if _spelling(word).reads_as(phrase.parts[-1]):
            return last.start() + len(word)
    return None


def _following(folded: str, token: re.Match[str]) -> Iterator[re.Match[str]]:
    """The tokens after this one, as long as no more than a short gap lies between."""
    while gap := _PHRASE_GAP.match(folded, token.end()):
        following = _token().match(folded, gap.end())
        if following is None or len(following[0]) > _LONGEST_TOKEN:
            return
        token = following
        yield token


def _cores(token: str) -> Iterator[tuple[int, int]]:
    """The token, then what is left without signs, or signs and digits, at its edges: "shit!!", "@shit", "shit2"."""
    if token.isalpha():
        yield 0, len(token)
        return
    ends = dict.fromkeys((len(token), len(token.rstrip(LEET_SIGNS)), len(token.rstrip(_EDGE))))
    starts = dict.fromkeys((0, len(token) - len(token.lstrip(_EDGE))))
    yield from ((start, end) for end in ends for start in starts if start < end)


@lru_cache(_REMEMBERED)
def _spelling(token: str) -> Spelling:
    return Spelling.of(token)


@cache
def _dictionary(language: str, folder: Path | None) -> _Dictionary:
    return _Dictionary(word_list(language, folder))


@cache
def _token() -> re.Pattern[str]:
    return re.compile(rf"(?:[^\W_]|[{re.escape(LEET_SIGNS)}{marks()}])++")
