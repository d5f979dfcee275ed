"""Photographs from an installed package, and what is made of them: other formats, turned, animated, broken."""

import importlib.util
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consumers.imaging.vips import load_vips
from schemas.errors import MissingExtraError

SUFFIXES = {
    "jpeg": ".jpg[Q=85]",
    "png": ".png",
    "webp": ".webp[Q=80,effort=1]",
    "avif": ".avif[Q=60,effort=0]",
    "gif": ".gif",
}


def photograph(file_name: str) -> Any:
    """A photograph of scikit-image's wheel, as a pyvips image in memory; the library itself is not imported."""
    return load_vips().Image.new_from_buffer(photograph_file(file_name), "").copy_memory()


def photograph_file(file_name: str) -> bytes:
    """The same as the bytes of its file."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise MissingExtraError("dev", "scikit-image")
    return (Path(found.origin).parent / "data" / file_name).read_bytes()


def encoded(image: Any, image_format: str) -> bytes:
    """The image as a file, metadata included."""
    return bytes(image.write_to_buffer(SUFFIXES[image_format]))


def turned(image: Any, orientation: int) -> bytes:
    """A JPEG whose pixels lie as a camera held so stores them, and whose EXIF orientation (1 to 8) says so."""
    stored = _lay(image, orientation).copy()
    stored.set_type(load_vips().GValue.gint_type, "orientation", orientation)
    return encoded(stored, "jpeg")


def _lay(image: Any, orientation: int) -> Any:
    """The opposite of what a viewer does for this orientation (CIPA DC-008, Orientation)."""
    undo = {
        1: lambda: image,
        2: image.fliphor,
        3: lambda: image.rot("d180"),
        4: image.flipver,
        5: lambda: image.rot("d90").fliphor(),
        6: lambda: image.rot("d270"),
        7: lambda: image.rot("d270").fliphor(),
        8: lambda: image.rot("d90"),
    }
    return undo[orientation]()


def animated(frames: Sequence[Any], image_format: str) -> bytes:
    """A GIF or WebP that shows frames of one size, a tenth of a second each."""
    pyvips = load_vips()
    film = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    film.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    film.set_type(pyvips.GValue.array_int_type, "delay", [100] * len(frames))
    return encoded(film, image_format)


def fading(image: Any) -> Any:
    """The image with transparency that rises from left to right."""
    ramp = load_vips().Image.xyz(image.width, image.height)[0] * (255 / image.width)
    return image.bandjoin(ramp.cast("uchar")).copy(interpretation="srgb")


def rainbow(width: int, height: int) -> Any:
    """A drawn image: every hue from left to right, lighter towards the top."""
    at = load_vips().Image.xyz(width, height)
    hue, light = at[0] * (360 / width), 90 - at[1] * (60 / height)
    lch = light.bandjoin([hue * 0 + 60, hue]).copy(interpretation="lch")
    return lch.colourspace("srgb").cast("uchar").copy_memory()


def bomb(side_px: int) -> bytes:
    """A PNG of some hundred bytes that declares side x side pixels."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(100_000), 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
