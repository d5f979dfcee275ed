"""Which variants are wanted, and whether they can be: what a request may say, checked before any work."""

import re
from collections.abc import Sequence
from typing import get_args

from consumers.imaging.errors import InvalidUploadError
from consumers.imaging.geometry import Size, fitted
from schemas.records import Fit, ImageFormat, VariantRequest

DEFAULT_VARIANTS = (
    VariantRequest(name="thumbnail", width=320, height=320, fit="cover", format="webp"),
    VariantRequest(name="preview", width=1280, height=1280, fit="contain", format="jpeg"),
)
"""What is made when the event asks for nothing."""
MAX_VARIANTS = 16
"""Twice what a responsive page asks for."""
MAX_VARIANT_SIDE_PX = 4_096
"""A 4K screen's width and a little; WebP itself ends at 16,383."""
MAX_OUTPUT_PIXELS = 32_000_000
"""Of all variants together: AVIF, the slowest, encodes 5 to 6 million pixels a second, and the deadline is 30 s."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def wanted(requests: Sequence[VariantRequest]) -> tuple[VariantRequest, ...]:
    """The variants to make: as asked for, or the agent's own.

    Raises:
        InvalidUploadError: naming the first field that cannot be honoured.
    """
    if len(requests) > MAX_VARIANTS:
        raise InvalidUploadError(f"variants has {len(requests)} entries, more than {MAX_VARIANTS}")
    taken: set[str] = set()
    for index, request in enumerate(requests):
        _check(request, f"variants[{index}]")
        if request.name.lower() in taken:  # a file system may not tell cases apart
            raise InvalidUploadError(f"variants[{index}].name={request.name!r} is the name of an earlier variant")
        taken.add(request.name.lower())
    return tuple(requests) or DEFAULT_VARIANTS


def sizes(source: Size, requests: Sequence[VariantRequest]) -> list[Size]:
    """Each variant's size for an image of this size.

    Raises:
        InvalidUploadError: when they are too much work together.
    """
    found = [fitted(source, Size(request.width, request.height), request.fit) for request in requests]
    pixels = sum(size.width * size.height for size in found)
    if pixels > MAX_OUTPUT_PIXELS:
        raise InvalidUploadError(f"variants would have {pixels:,} pixels together, more than {MAX_OUTPUT_PIXELS:,}")
    return found


def _check(request: VariantRequest, field: str) -> None:
    if not _NAME.fullmatch(request.name):
        raise InvalidUploadError(
            f"{field}.name={request.name[:80]!r}: 1 to 64 letters, digits, hyphens and underscores are needed, "
            "a letter or digit first"
        )
    for side in ("width", "height"):
        pixels = getattr(request, side)
        if not 1 <= pixels <= MAX_VARIANT_SIDE_PX:
            raise InvalidUploadError(f"{field}.{side}={pixels}: 1 to {MAX_VARIANT_SIDE_PX} pixels are needed")
    if not 1 <= request.quality <= 100:
        raise InvalidUploadError(f"{field}.quality={request.quality}: 1 to 100 is needed")
    if request.fit not in get_args(Fit) or request.format not in get_args(ImageFormat):
        raise InvalidUploadError(f"{field}: fit={request.fit!r} or format={request.format!r} is unknown")
