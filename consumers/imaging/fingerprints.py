"""What an image looks like, in a few bytes: difference hash, BlurHash, dominant colours. The same for every replay."""

from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

from consumers.imaging.decode import flattened
from schemas.errors import MissingExtraError

_DHASH_COLUMNS, _DHASH_ROWS = 9, 8
_BLURHASH_SIDE = 64
"""Pixels of the longer side; 4 by 3 waves have no more to say, and the cost goes with the pixels."""
_COLOR_SIDE = 48
_COLOR_SHIFT = 5
"""Bits a channel that are left away while counting: 8 steps a channel put the shades of one surface together."""
_MAX_COLORS = 5
_LEAST_SHARE = 0.005
"""Of the opaque pixels; rarer colours dominate nothing."""
_LEAST_DISTANCE = 48
"""Between two dominant colours, Euclidean in RGB: nearer ones look like one."""
_OPAQUE = 128

Color = tuple[int, int, int]


class Fingerprints(NamedTuple):
    """How to recognise an image and what to show until it is there.

    Attributes:
        dhash: 64 bits as 16 hexadecimal digits (Neal Krawetz, "Kind of like that", 2013); near images differ in few.
        blurhash: 4 by 3 components (blurha.sh).
        dominant_colors: up to 5 as #rrggbb, the most frequent first; none of a wholly transparent image.
    """

    dhash: str
    blurhash: str
    dominant_colors: tuple[str, ...]


def fingerprints(image: Any) -> Fingerprints:
    """All of them, of a decoded image."""
    opaque = flattened(image)
    return Fingerprints(_dhash(opaque), _blurhash(opaque), dominant_colors(_pixels(image)))


def _dhash(opaque: Any) -> str:
    grey = opaque.colourspace("b-w").thumbnail_image(_DHASH_COLUMNS, height=_DHASH_ROWS, size="force")
    pixels = bytes(grey.extract_band(0).write_to_memory())
    rows = (pixels[at : at + _DHASH_COLUMNS] for at in range(0, _DHASH_COLUMNS * _DHASH_ROWS, _DHASH_COLUMNS))
    bits = "".join("1" if right > left else "0" for row in rows for left, right in pairwise(row))
    return f"{int(bits, 2):016x}"


def _blurhash(opaque: Any) -> str:
    try:
        from blurhash_rs._lib import encode_rgb  # what the package itself offers takes Pillow's images
    except ImportError as error:
        raise MissingExtraError("images", "blurhash-rs") from error
    small = opaque.thumbnail_image(_BLURHASH_SIDE, height=_BLURHASH_SIDE, size="down")
    return str(encode_rgb(bytes(small.write_to_memory()), small.width, small.height, 4, 3))


def _pixels(image: Any) -> list[Color]:
    """The colours of a small copy, without what is transparent."""
    small = image.thumbnail_image(_COLOR_SIDE, height=_COLOR_SIDE, size="down")
    data = bytes(small.write_to_memory())
    if not small.hasalpha():
        return list(zip(data[0::3], data[1::3], data[2::3], strict=True))
    bands = zip(data[0::4], data[1::4], data[2::4], data[3::4], strict=True)
    return [(red, green, blue) for red, green, blue, alpha in bands if alpha >= _OPAQUE]


def dominant_colors(pixels: list[Color]) -> tuple[str, ...]:
    """Up to 5 colours, the most frequent first: the mean of each well-filled bin that is not near one chosen before."""
    bins: defaultdict[Color, list[Color]] = defaultdict(list)
    for color in pixels:
        bins[_bin(color)].append(color)
    chosen: list[Color] = []
    for _, colors in sorted(bins.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(chosen) == _MAX_COLORS or len(colors) < _LEAST_SHARE * len(pixels):
            break
        color = _mean(colors)
        if all(_far(color, other) for other in chosen):
            chosen.append(color)
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in chosen)


def _bin(color: Color) -> Color:
    red, green, blue = color
    return red >> _COLOR_SHIFT, green >> _COLOR_SHIFT, blue >> _COLOR_SHIFT


def _mean(colors: list[Color]) -> Color:
    red, green, blue = (round(sum(channel) / len(colors)) for channel in zip(*colors, strict=True))
    return red, green, blue


def _far(one: Color, other: Color) -> bool:
    return sum((left - right) ** 2 for left, right in zip(one, other, strict=True)) >= _LEAST_DISTANCE**2
