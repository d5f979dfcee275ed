"""The format of an image file by its first bytes, and whether the file is all there by its structure.

Neither decodes anything: this runs before libvips sees a byte. Completeness is looked at here because decoders forgive:
libvips shows the first frame of a GIF whose later frames are missing.
"""

from collections.abc import Callable

_AVIF_BRANDS = {b"avif", b"avis"}
_MAX_BRAND_BYTES = 256


def sniff(data: bytes) -> str | None:
    """The format: "jpeg", "png", "webp", "avif" or "gif"; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:6] in {b"GIF87a", b"GIF89a"}:
        return "gif"
    return "avif" if _AVIF_BRANDS & _brands(data) else None


def is_complete(data: bytes, image_format: str) -> bool:
    """Whether the file goes on to its own end. A JPEG says so only in its compressed data: there the decoder tells."""
    walk = _WALKS.get(image_format)
    return walk is None or walk(data)


def _brands(data: bytes) -> set[bytes]:
    """The brands of an ISO base media file (ISO/IEC 14496-12, 4.3): the major one and the compatible ones."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), len(data), _MAX_BRAND_BYTES)
    return {data[8:12]} | {data[at : at + 4] for at in range(16, end - 3, 4)}


def _png(data: bytes) -> bool:
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IEND":
            return end <= len(data)
        at = end
    return False


def _webp(data: bytes) -> bool:
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _avif(data: bytes) -> bool:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:  # the last box, up to the end of the file
            return True
        if size < 8 or at + size > len(data):
            return False
        at += size
    return True


def _gif(data: bytes) -> bool:
    at = 13 + _color_table_bytes(data, 10)
    while at < len(data):
        block = data[at]
        if block == 0x3B:
            return True
        if block == 0x21:
            at = _after_sub_blocks(data, at + 2)
        elif block == 0x2C:
            at = _after_sub_blocks(data, at + 11 + _color_table_bytes(data, at + 9))
        else:
            return True  # no block at all: broken rather than short, and the decoder says how
    return False


def _color_table_bytes(data: bytes, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << ((flags & 0b111) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


_WALKS: dict[str, Callable[[bytes], bool]] = {"png": _png, "webp": _webp, "avif": _avif, "gif": _gif}
