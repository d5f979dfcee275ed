"""The images agent: an uploaded image becomes its variants in the object store, and a description of it."""

import hashlib

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
from consumers.store import InvalidPathError, ObjectNotFoundError, ObjectStore, ObjectTooLargeError
from schemas.records import ImageProcessed, ImageUploaded, Variant, VariantRequest

_OVERVIEW_SIDE_PX = 2_048
"""The image is decoded so large even for smaller variants: then its fingerprints don't depend on what was asked for."""


def process(image: ImageUploaded, context: Context) -> ImageProcessed:
    """Make the variants of an image, put them into the store all at once, and describe the image.

    1. what is asked for, and the file, against every limit, before anything is decoded;
    2. decode, fingerprint, render;
    3. store the variants as one set, in a folder named by the source's SHA-256 and by what was asked for. So a record
       that is handled twice writes the same bytes to the same place, or finds them there.

    Of an animation the variants show the first frame. Variants never are larger than the image (see
    `consumers.imaging.geometry`), and carry no metadata: orientation is applied, colours are sRGB.

    Raises:
        Reject: when the event or the file can never be processed; see `consumers.imaging.errors` for the reasons.
        Retry: when the reference leads nowhere yet.
        Unavailable: when the object store does not answer or is full.
    """
    requests = wanted(image.variants)
    data = _source(image, context)
    header = inspect(data)
    targets = sizes(header.size, requests)

    overview_size = shrunk(header.size, [], least_side=_OVERVIEW_SIDE_PX)
    overview = decode(data, overview_size, header.format)
    seen = fingerprints(overview)
    working_size = shrunk(header.size, targets, least_side=_OVERVIEW_SIDE_PX)
    working = overview if working_size == overview_size else decode(data, working_size, header.format)
    files = [
        render(working, target, image_format=request.format, quality=request.quality)
        for request, target in zip(requests, targets, strict=True)
    ]

    sha256 = hashlib.sha256(data).hexdigest()
    variants = _stored(_folder(sha256, requests), requests, targets, files, store=context.store)
    return _described(image, header, sha256=sha256, size_bytes=len(data), seen=seen, variants=variants)
