"""From a file's bytes to pixels: oriented, sRGB, 8 bits, 3 bands or 4, at the size that is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from consumers.imaging.errors import BrokenImageError, ImageBombError, ImageRejectError, TruncatedImageError
from consumers.imaging.geometry import Size
from consumers.imaging.vips import load_vips

_PROFILE = "icc-profile-data"
_SHORT_FILE_WORDS = ("premature end", "end of file", "unexpected end", "truncated")
_LARGE_IMAGE_WORDS = "maximum supported image dimension"
_MAX_REASON_CHARACTERS = 200


def decode(data: bytes, size: Size, image_format: str) -> Any:
    """The first frame at this size, in memory, as a pyvips image.

    libvips shrinks while it loads: of a JPEG or WebP that is wanted small, most pixels never exist. Orientation is
    applied; colours go through an embedded profile, or CMYK's default one, to sRGB.

    Args:
        data: a file that `limits.inspect` has passed.
        size: at most the file's own, after orientation.
        image_format: for the error's text.

    Raises:
        TruncatedImageError: when the data end within the image.
        ImageBombError: when it is larger than its format's decoder goes.
        BrokenImageError: when they cannot be decoded for another reason.
    """
    pyvips = load_vips()
    with refusing(image_format):
        converted = _needs_conversion(pyvips.Image.new_from_buffer(data, ""))
        image = pyvips.Image.thumbnail_buffer(
            data,
            size.width,
            height=size.height,
            size="force",
            option_string="fail_on=truncated",  # as a keyword it is not handed to the loader
            **({"output_profile": "srgb"} if converted else {}),
        )
        return _eight_bit_srgb(image).copy_memory()


def flattened(image: Any) -> Any:
    """Without transparency: on white, as most pages are."""
    return image.flatten(background=255) if image.hasalpha() else image


@contextmanager
def refusing(image_format: str) -> Iterator[None]:
    """Turn libvips' errors about a file into the reason why it is refused."""
    try:
        yield
    except load_vips().Error as error:
        reason = _reason(str(error))
        raise _refusal(reason)(f"the {image_format} file cannot be decoded: {reason}") from error


def _reason(text: str) -> str:
    """The lines of libvips as one, without the probing of libheif's reader that it lists."""
    lines = (line.strip() for line in text.splitlines() if "bad seek to" not in line)
    return " ".join(filter(None, lines))[:_MAX_REASON_CHARACTERS]


def _refusal(reason: str) -> type[ImageRejectError]:
    lower = reason.lower()
    if any(words in lower for words in _SHORT_FILE_WORDS):
        return TruncatedImageError
    return ImageBombError if _LARGE_IMAGE_WORDS in lower else BrokenImageError


def _needs_conversion(image: Any) -> bool:
    """Whether colours have to go through profiles: without any, it would cost 0.13 us a pixel and change nothing."""
    return bool(image.get_typeof(_PROFILE)) or image.interpretation == "cmyk"


def _eight_bit_srgb(image: Any) -> Any:
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    if image.get_typeof(_PROFILE):  # it has done its part, and every later step would look at it again
        image = image.copy()
        image.remove(_PROFILE)
    return image
