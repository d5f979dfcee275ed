"""How large a variant becomes, and which part of the image it shows. Pure arithmetic; nothing is ever enlarged.

contain: the whole image, scaled down until it fits the box; a smaller image stays as it is.
cover: the box's shape cut out of the image's middle, as large as the image allows, scaled down to the box. Where the
image is smaller than the box, the variant keeps the box's shape and is smaller than the box.
"""

from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

from schemas.records import Fit


class Size(NamedTuple):
    """Width and height in pixels, each at least 1."""

    width: int
    height: int


class Area(NamedTuple):
    """A part of an image in pixels, from its top left corner."""

    left: int
    top: int
    width: int
    height: int


def fitted(source: Size, box: Size, fit: Fit) -> Size:
    """The size of a variant of the source in this box."""
    if fit == "contain":
        scale = min(1.0, box.width / source.width, box.height / source.height)
        return Size(_whole(source.width * scale, source.width), _whole(source.height * scale, source.height))
    scale = min(1.0, source.width / box.width, source.height / box.height)
    return Size(_whole(box.width * scale, source.width), _whole(box.height * scale, source.height))


def shrunk(source: Size, targets: Iterable[Size], *, least_side: int) -> Size:
    """The smallest size of the source, in its own shape, that holds every target, and its longer side least_side."""
    scale = max(
        (max(target.width / source.width, target.height / source.height) for target in targets),
        default=0.0,
    )
    scale = min(1.0, max(scale, least_side / max(source)))
    return Size(min(source.width, ceil(source.width * scale)), min(source.height, ceil(source.height * scale)))


def centred(image: Size, target: Size) -> Area:
    """The largest area of the target's shape in the middle of the image."""
    scale = min(image.width / target.width, image.height / target.height)
    width, height = _whole(target.width * scale, image.width), _whole(target.height * scale, image.height)
    return Area((image.width - width) // 2, (image.height - height) // 2, width, height)


def _whole(pixels: float, most: int) -> int:
    return max(1, min(most, round(pixels)))
