"""The words of a language that are masked, made ready to be looked up whichever way they are spelled.

English comes from better-profanity's list (MIT), which counts "god", "kill" and "vodka" as profane: `words/en.txt` takes such words off.
Other languages have a file of their own in `words/`, and a folder of a user's (HEADRACE_PROFANITY_DIR) may hold further ones:

- `<language>.txt` holds for texts in that language, `all.txt` for every text; `#` begins a comment;
- a word or phrase a line is masked;
- with `!` before it, it is not, in just that spelling, and a listed word so spelled is taken off: `!dick` in `de.txt`.

English words are sought in every language. A text whose language is not certain is held against all lists.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from consumers.texts.folding import fold, without_ignored
from consumers.texts.language import UNDETERMINED
from consumers.texts.scripts import UNSPACED
from consumers.texts.spelling import Spelling
from schemas.errors import ConfigurationError, MissingExtraError

OWN_FOLDER = Path(__file__).with_name("words")
_ENGLISH, _EVERY = "en", "all"
ALLOWED = ""
"""Stands in place of a phrase's entry."""
_BETWEEN = re.compile(r"[\s\-_.,'’]+")
_PLURAL_FROM = 4
"""English words of so many letters are also listed with an s: better-profanity has "asshole" alone."""
_UNSPACED_WORD = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after another.

    Attributes:
        entry: how the list writes it; ALLOWED for a phrase that is to be left alone.
        parts: its words.
    """

    entry: str
    parts: tuple[Spelling, ...]


@dataclass(slots=True)
class WordList:
    """What is looked up, by the word's key (see `Spelling`); phrases by their first word's.

    Attributes:
        words: single words.
        phrases: words one after another, the longest first.
        allowed: spellings that are left alone, in small letters, NFC.
        unspaced: words of scripts without spaces, sought anywhere; as listed, by their folded form.
        unspaced_pattern: any of them, the longest first; None without any.
    """

    words: dict[str, list[Spelling]] = field(default_factory=lambda: defaultdict(list))
    phrases: dict[str, list[Phrase]] = field(default_factory=lambda: defaultdict(list))
    allowed: frozenset[str] = frozenset()
    unspaced: dict[str, str] = field(default_factory=dict)
    unspaced_pattern: re.Pattern[str] | None = None


@cache
def word_list(language: str, folder: Path | None = None) -> WordList:
    """The list for texts in a language.

    Args:
        language: ISO 639 code; "und" for the words of all languages.
        folder: a user's folder of further lists.

    Raises:
        ConfigurationError: if the folder is none, or one of its files is not UTF-8.
        MissingExtraError: if better-profanity is not installed.
    """
    lines = [*_english(), *_lines(_ENGLISH, folder), *_lines(_EVERY, folder)]
    if language == UNDETERMINED:
        lines += [line for name in _languages(folder) for line in _lines(name, folder) if not line.startswith("!")]
    elif language != _ENGLISH:
        lines += _lines(language, folder)
    return _built(lines)


def _built(lines: Iterable[str]) -> WordList:
    allowed = {spelled(line[1:]) for line in lines if line.startswith("!")}
    made = WordList(allowed=frozenset(allowed))
    entries = dict.fromkeys(line for line in lines if not line.startswith("!"))
    for entry in sorted(entries, key=lambda entry: not entry.isalpha()):  # "fuck" gives the name, before "f.u.c.k"
        if spelled(entry) not in allowed:
            _add(made, entry, entry)
    for phrase in sorted(allowed):
        if _BETWEEN.search(phrase):
            _add(made, phrase, ALLOWED)
    for phrases in made.phrases.values():
        phrases.sort(key=lambda phrase: -len(phrase.parts))
    if made.unspaced:
        longest_first = sorted(made.unspaced, key=lambda word: (-len(word), word))
        made.unspaced_pattern = re.compile("|".join(map(re.escape, longest_first)))
    return made


def _add(made: WordList, written: str, entry: str) -> None:
    folded = fold(without_ignored(written)[0])
    if _UNSPACED_WORD.search(folded):
        made.unspaced[folded] = written
        return
    parts = [part for part in _BETWEEN.split(folded.removesuffix("*")) if part]
    if all(len(part) == 1 for part in parts):
        parts = ["".join(parts)]  # "f-u-c-k": whatever is spelled out is joined before it is looked up
    spellings = tuple(Spelling.of(part, entry=written) for part in parts)
    if len(spellings) == 1:
        made.words[spellings[0].key].append(spellings[0])
    else:
        made.phrases[spellings[0].key].append(Phrase(entry, spellings))


def spelled(word: str) -> str:
    """How a word is compared with the allowed ones."""
    return unicodedata.normalize("NFC", word.lower())


@cache
def _english() -> tuple[str, ...]:
    package = find_spec("better_profanity")  # found, not imported: its import builds every spelling of every word
    if package is None or not package.submodule_search_locations:
        raise MissingExtraError("text", "better-profanity")
    path = Path(package.submodule_search_locations[0]) / "profanity_wordlist.txt"
    words = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    allowed = {line[1:] for line in _lines(_ENGLISH, None)}
    plurals = [f"{word}s" for word in words if len(word) >= _PLURAL_FROM and word.isalpha() and word[-1] not in "sxyz"]
    return (*words, *(plural for plural in plurals if plural[:-1] not in allowed))


def _lines(language: str, folder: Path | None) -> list[str]:
    """The entries of `<language>.txt` in both folders."""
    paths = (place / f"{language}.txt" for place in _folders(folder))
    return [entry for path in paths if path.is_file() for entry in _entries(path)]


def _entries(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: not UTF-8 at byte {error.start}; save the word list as UTF-8"]) from error
    return (entry for line in text.splitlines() if (entry := line.split("#")[0].strip()))


def _languages(folder: Path | None) -> list[str]:
    names = {path.stem for place in _folders(folder) for path in place.glob("*.txt")}
    return sorted(names - {_ENGLISH, _EVERY})


def _folders(folder: Path | None) -> tuple[Path, ...]:
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(
            [f"HEADRACE_PROFANITY_DIR={folder}: no such folder; make it, or take the variable away"]
        )
    return (OWN_FOLDER,) if folder is None else (OWN_FOLDER, folder)
