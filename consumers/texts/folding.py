"""One plain letter for everything that looks like it, one character for one, so that positions stay."""

import re
import unicodedata
from functools import cache

_IGNORED = re.compile(
    "[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u061c\u0640\u064b-\u065f\u0670\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Marks that Latin, Greek, Cyrillic, Hebrew and Arabic words can be without, zero-width and direction characters: what can be strewn into a word unseen."""

# Where one character decomposes (NFKD) to one letter or digit and marks: accents, fullwidth, mathematical, circled, squared.
_DECOMPOSED = (
    (0xA0, 0x52F), (0x1C80, 0x1C8F), (0x1D00, 0x1FFF), (0x2070, 0x218F), (0x2460, 0x24FF), (0x2C60, 0x2C7F), (0xA640, 0xA69F),
    (0xA720, 0xA7FF), (0xFF00, 0xFF5F), (0x1D400, 0x1D7FF), (0x1F100, 0x1F16F),
)  # fmt: skip

# After Unicode's confusables.txt (UTS #39), cut down to whole letters that readers take for Latin ones. Small and capital
# letters map alike, as words are compared in one case: hence the Cyrillic н as h.
_ALIKE = {
    "a": "ɑαаᴀⱥ", "b": "βьвʙƀɓ", "c": "ϲсᴄƈȼ", "d": "đðԁᴅɖɗ", "e": "εеєᴇɛəǝ", "f": "ƒꜰғ", "g": "ɡɢǥɠց", "h": "һнħʜհ",
    "i": "ιіıɪɨӏ", "j": "јϳᴊɉ", "k": "κкᴋƙқ", "l": "łʟƚɭǀ", "m": "мᴍɱ", "n": "ηпŋɴɲոռ", "o": "οоøᴏɵօө", "p": "ρрᴘƥ",
    "q": "ԛɋ", "r": "гʀɾɍ", "s": "ѕꜱʂ", "t": "τтŧᴛƭ", "u": "υսᴜʉʋ", "v": "νѵᴠ", "w": "ωԝшᴡɯ", "x": "χхҳ", "y": "γуүʏɏ",
    "z": "ζᴢƶʐ",
}  # fmt: skip
_LETTER_RUNS = (0x1F150, 0x1F170, 0x1F1E6)
"""Where A to Z stand once more without a decomposition: negative circled, negative squared, regional indicators."""


def fold(text: str) -> str:
    """The text in small letters, of the same length, look-alikes and accented letters as the plain Latin letter."""
    return text.translate(_table()).lower()


def without_ignored(text: str) -> tuple[str, list[int] | None]:
    """The text without what can't be seen, and where each of its characters stood; None where nothing was taken out.

    The list is one longer than the text: its last entry is the original's length.
    """
    if text.isascii() or not _IGNORED.search(text):
        return text, None
    places = [at for at, character in enumerate(text) if not _IGNORED.match(character)]
    return "".join(text[at] for at in places), [*places, len(text)]


@cache
def _table() -> dict[int, str]:
    decomposed = {
        code: base for first, last in _DECOMPOSED for code in range(first, last + 1) if (base := _base(chr(code)))
    }
    runs = {first + index: chr(ord("a") + index) for first in _LETTER_RUNS for index in range(26)}
    alike = {ord(form): letter for letter, forms in _ALIKE.items() for form in forms + forms.upper() if form > "\x7f"}
    plain = {code: base.translate(alike) for code, base in decomposed.items()}
    return {**plain, **runs, **alike, ord("_"): " ", ord("Σ"): "σ", ord("ς"): "σ"}


def _base(character: str) -> str | None:
    """The one letter or digit that is left without marks, in small; None if it is itself, or several."""
    parts = [part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)]
    base = parts[0].lower() if len(parts) == 1 and parts[0].isalnum() else None
    return base if base and len(base) == 1 and base != character else None
