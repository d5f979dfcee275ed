"""Character classes that Python's `re` does not have: combining marks, and the scripts that write words without spaces."""

import unicodedata
from functools import cache

HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
HIRAGANA = "\u3041-\u309f"
KATAKANA = "\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
SOUTH_EAST_ASIAN = "\u0e00-\u0e3a\u0e40-\u0e4e\u0e80-\u0eff\u1000-\u1049\u1050-\u109f\u1780-\u17d3"
"""Thai, Lao, Burmese and Khmer; spaces stand between phrases there, not between words."""
UNSPACED = HAN + HIRAGANA + KATAKANA + SOUTH_EAST_ASIAN

_FIRST_MARK, _LAST_MARK = 0x300, 0x1E94A
"""No combining mark lies outside, but for the variation selectors beyond, which are no part of a word."""


@cache
def marks() -> str:
    r"""All combining marks as the inside of a character class: `\w` leaves them out, and Hindi or Hebrew words need them."""
    codes = [code for code in range(_FIRST_MARK, _LAST_MARK + 1) if unicodedata.category(chr(code))[0] == "M"]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
