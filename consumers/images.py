"""The images agent: an uploaded image becomes its variants in the object store, and a description of it."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from consumers.context import Context
from consumers.errors import Retry
from consumers.imaging.decode import decode
from consumers.imaging.errors import ImageTooLargeError, InvalidUploadError
from consumers.imaging.fingerprints import fingerprints
from consumers.imaging.geometry import Size, shrunk
from consumers.imaging.limits import MAX_SOURCE_BYTES, Header, inspect
from consumers.imaging.render import EXTENSIONS, RENDERER, render
from consumers.imaging.requests import sizes, wanted
from consumers.imaging.vips import vips_version
from consumers.object_paths import InvalidPathError
from consumers.store import ObjectNotFoundError, ObjectStore, ObjectTooLargeError
from schemas.records import ImageProcessed, ImageUploaded, Variant, VariantRequest

_OVERVIEW_SIDE_PX = 2_048
"""The image is decoded so large even for smaller variants: then its fingerprints don't depend on what was asked for."""


def process(image: ImageUploaded, context: Context) -> ImageProcessed:
    """Make the variants of an image, put them into the store all at once, and describe the image.

    1. hold what is asked for, and the file, against every limit, before anything is decoded;
    2. decode, and look at the image;
    3. render the variants, and store them as one set.

    Of an animation the variants show the first frame. A variant is never larger than the image (see
    `consumers.imaging.geometry`) and carries no metadata: orientation is applied, colours are sRGB.

    Raises:
        Reject: when the event or the file can never be processed; `consumers.imaging.errors` has the reasons.
        Retry: when the reference leads nowhere yet.
        Unavailable: when the object store does not answer or is full.
    """
    requests = wanted(image.variants)
    data = _source(image, context)
    header = inspect(data)
    targets = sizes(header.size, requests)

    overview = _decode(data, header, [])
    seen = fingerprints(overview)

    working = overview if _holds(overview, header, targets) else _decode(data, header, targets)
    files = _rendered(working, requests, targets)
    sha256 = hashlib.sha256(data).hexdigest()
    variants = _stored(context.store, _folder(sha256, requests), requests, targets, files)
    return ImageProcessed(
        image_id=image.image_id,
        source_event_id=image.event_id,
        width=header.size.width,
        height=header.size.height,
        format=header.format,
        frames=header.frames,
        size_bytes=len(data),
        sha256=sha256,
        dhash=seen.dhash,
        blurhash=seen.blurhash,
        dominant_colors=seen.dominant_colors,
        variants=variants,
    )


def _source(image: ImageUploaded, context: Context) -> bytes:
    """The file's bytes, from the event or from the store."""
    if (image.content is None) == (image.reference is None):
        both = "both are" if image.content is not None else "none is"
        raise InvalidUploadError(f"content and reference: exactly one is needed, {both} set")
    if image.content is not None:
        return image.content
    reference = image.reference or ""
    try:
        return context.store.get(reference, max_bytes=MAX_SOURCE_BYTES)
    except InvalidPathError as error:
        raise InvalidUploadError(f"reference: {error}") from error
    except ObjectTooLargeError as error:
        raise ImageTooLargeError(str(error)) from error
    except ObjectNotFoundError as error:
        raise Retry(f"{error}; the upload may be late") from error


def _decode(data: bytes, header: Header, targets: Sequence[Size]) -> Any:
    return decode(data, _working_size(header, targets), header.format)


def _working_size(header: Header, targets: Sequence[Size]) -> Size:
    return shrunk(header.size, targets, least_side=_OVERVIEW_SIDE_PX)


def _holds(overview: Any, header: Header, targets: Sequence[Size]) -> bool:
    """Whether every variant can be cut out of the overview; else the file is decoded once more, larger."""
    return (overview.width, overview.height) == _working_size(header, targets)


def _rendered(working: Any, requests: Sequence[VariantRequest], targets: Sequence[Size]) -> dict[str, bytes]:
    """The files by their name in the set."""
    return {
        _file_name(request): render(working, size, image_format=request.format, quality=request.quality)
        for request, size in zip(requests, targets, strict=True)
    }


def _file_name(request: VariantRequest) -> str:
    return f"{request.name}.{EXTENSIONS[request.format]}"


def _folder(sha256: str, requests: Sequence[VariantRequest]) -> str:
    """The set's folder, named by all that its bytes depend on: the source, what is asked for, and who renders it.

    A record that is handled twice finds its files there; after an upgrade of libvips new files get a new folder, and
    references from before stay true.
    """
    key = msgspec.json.encode([RENDERER, vips_version(), sorted(msgspec.json.encode(request) for request in requests)])
    return f"images/{sha256[:2]}/{sha256}/{hashlib.sha256(key).hexdigest()[:16]}"


def _stored(
    store: ObjectStore,
    folder: str,
    requests: Sequence[VariantRequest],
    targets: Sequence[Size],
    files: dict[str, bytes],
) -> tuple[Variant, ...]:
    stored = store.put_all(folder, files)
    return tuple(
        Variant(
            name=request.name,
            reference=f"{folder}/{_file_name(request)}",
            format=request.format,
            width=size.width,
            height=size.height,
            size_bytes=stored[_file_name(request)].size_bytes,
            sha256=stored[_file_name(request)].sha256,
        )
        for request, size in zip(requests, targets, strict=True)
    )
