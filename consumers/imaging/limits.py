"""What is looked at before anything is decoded: bytes, format, completeness, pixels and frames."""

from typing import Any, NamedTuple

from consumers.imaging.decode import refusing
from consumers.imaging.errors import (
    ImageBombError,
    ImageTooLargeError,
    TooManyFramesError,
    TruncatedImageError,
    UnsupportedImageError,
)
from consumers.imaging.geometry import Size
from consumers.imaging.sniff import is_complete, sniff
from consumers.imaging.vips import LOADERS, load_vips

MAX_SOURCE_BYTES = 32 * 1024 * 1024
"""The largest file: a 50-megapixel JPEG at quality 95 has about 25 MB. One is held in memory per thread."""
MAX_SOURCE_PIXELS = 50_000_000
"""The most pixels, imgproxy's bound too: room for a 48-megapixel phone; decoded whole, 200 MB at 4 bytes a pixel."""
MAX_FRAMES = 1_000
"""The most frames: 33 seconds at 30 a second. Only the first is decoded, but the header walk visits each."""
_TURNED = range(5, 9)
"""The EXIF orientations that exchange width and height."""


class Header(NamedTuple):
    """What a file says of itself.

    Attributes:
        format: "jpeg", "png", "webp", "avif" or "gif", by its content.
        size: width and height in pixels, after orientation.
        frames: 1 for a still image.
    """

    format: str
    size: Size
    frames: int


def inspect(data: bytes) -> Header:
    """Read the header and hold the file against every limit; no pixel is decoded.

    Raises:
        ImageRejectError: one of its subclasses, with the reason.
    """
    if len(data) > MAX_SOURCE_BYTES:
        raise ImageTooLargeError(f"{len(data):,} bytes, more than {MAX_SOURCE_BYTES:,}")
    image_format = sniff(data)
    if image_format is None:
        raise UnsupportedImageError(f"{_shown(data)}; the formats are {', '.join(LOADERS)}")
    if not is_complete(data, image_format):
        raise TruncatedImageError(f"the {image_format} file ends after {len(data):,} bytes, before its image does")
    with refusing(image_format):
        image = load_vips().Image.new_from_buffer(data, "")
        header = Header(image_format, _oriented(image), int(image.get_n_pages()))
    _check(header)
    return header


def _check(header: Header) -> None:
    (width, height), frames = header.size, header.frames
    if width * height > MAX_SOURCE_PIXELS:
        raise ImageBombError(
            f"{width:,} x {height:,} pixels are {width * height:,}, more than {MAX_SOURCE_PIXELS:,}; it was not decoded"
        )
    if frames > MAX_FRAMES:
        raise TooManyFramesError(f"{frames:,}, more than {MAX_FRAMES:,}")


def _oriented(image: Any) -> Size:
    turned = image.get_typeof("orientation") and image.get("orientation") in _TURNED
    return Size(image.height, image.width) if turned else Size(image.width, image.height)


def _shown(data: bytes) -> str:
    return f"a file that begins with {data[:12]!r}" if data else "an empty file"
