"""The demo's images: real photographs, cut and encoded in every way, and three broken files.

The photographs lie in the wheel of scikit-image, each free to use as its documentation (skimage.data) says:

* astronaut: Eileen Collins, NASA; public domain.
* rocket: SpaceX DSCOVR launch; released into the public domain by SpaceX.
* hubble_deep_field: NASA and the HUDF team; public domain.
* camera: Lav Varshney; CC0. chelsea (a cat): Stefan van der Walt; CC0. coffee: Rachel Michetti; CC0.
* retina: Wikimedia Commons, "Fundus photograph of normal left eye"; CC0.
* brick, gravel: CC0Textures; CC0. grass: CC0.
* clock_motion: Stefan van der Walt; public domain.
* coins: the Brooklyn Museum's collection of Greek coins from Pompeii; no known copyright restrictions.

The files are the same in every run, for one version of libvips.
"""

from collections.abc import Iterator
from typing import NamedTuple

from consumers.store import ObjectStore
from demo import drawing
from schemas.records import ImageUploaded, VariantRequest

MAX_INLINE_BYTES = 256 * 1024
"""What an event carries itself; larger files go through the store."""
PHOTOGRAPHS = ("astronaut.png", "rocket.jpg", "camera.png", "chelsea.png", "coffee.png", "coins.png", "brick.png")
TEXTURES = ("gravel.png", "grass.png", "clock_motion.png")
BROKEN = ("broken-truncated", "broken-bomb", "broken-text")
"""The three that must end as dead letters."""
_SHOP_VARIANTS = (
    VariantRequest(name="icon", width=64, height=64, fit="cover", format="png"),
    VariantRequest(name="thumbnail", width=320, height=320, fit="cover", format="avif", quality=60),
    VariantRequest(name="banner", width=600, height=200, fit="cover", format="jpeg", quality=85),
    VariantRequest(name="page", width=800, height=800, fit="contain", format="webp"),
)
_SHOP_EVERY = 4


class File(NamedTuple):
    """One file to hand in.

    Attributes:
        image_id: its name, unique.
        data: its bytes.
        note: what is special about it.
    """

    image_id: str
    data: bytes
    note: str


class Upload(NamedTuple):
    """One event to publish.

    Attributes:
        event: with the file inside, or with a reference to it.
        note: what is special about the file.
        broken: whether it must end as a dead letter.
    """

    event: ImageUploaded
    note: str
    broken: bool


def files() -> Iterator[File]:
    """All 68 of them, always in this order."""
    yield from _every_format()
    yield from _every_orientation()
    yield from _cuts()
    yield from _special()
    yield from _large()
    yield from _broken()


def uploads(store: ObjectStore) -> list[Upload]:
    """An event for each file; one that is too large for an event is put into the store first and goes by reference.

    Every fourth asks for variants of its own; the others take the agent's.
    """
    return [
        Upload(
            _event(file, store, _SHOP_VARIANTS if number % _SHOP_EVERY == 0 else ()), file.note, file.image_id in BROKEN
        )
        for number, file in enumerate(files())
    ]


def _event(file: File, store: ObjectStore, variants: tuple[VariantRequest, ...]) -> ImageUploaded:
    if len(file.data) <= MAX_INLINE_BYTES:
        return ImageUploaded(image_id=file.image_id, content=file.data, variants=variants, uploaded_by="demo")
    reference = f"uploads/{file.image_id}"
    store.put(reference, file.data)
    return ImageUploaded(image_id=file.image_id, reference=reference, variants=variants, uploaded_by="demo")


def _every_format() -> Iterator[File]:
    for file_name in PHOTOGRAPHS:
        image = drawing.photograph(file_name).thumbnail_image(420)
        for image_format in drawing.SUFFIXES:
            yield File(
                f"{_stem(file_name)}-{image_format}",
                drawing.encoded(image, image_format),
                f"photograph, {image_format}",
            )


def _every_orientation() -> Iterator[File]:
    coffee = drawing.photograph("coffee.png")
    for orientation in range(1, 9):
        yield File(
            f"turned-{orientation}", drawing.turned(coffee, orientation), f"JPEG, EXIF orientation {orientation}"
        )


def _cuts() -> Iterator[File]:
    deep_field = drawing.photograph("hubble_deep_field.jpg")
    for number in range(6):
        cut = deep_field.crop(number % 3 * 330, number // 3 * 430, 320, 420)
        yield File(f"galaxies-{number + 1}", drawing.encoded(cut, "jpeg"), "part of the Hubble deep field, JPEG")
    for file_name in TEXTURES:
        texture = drawing.photograph(file_name)
        yield File(_stem(file_name), drawing.encoded(texture, "webp"), "grey photograph, WebP")


def _special() -> Iterator[File]:
    cat, rainbow = drawing.photograph("chelsea.png"), drawing.rainbow(480, 320)
    turns = [cat.crop(75, 0, 300, 300).rot(angle) for angle in ("d0", "d90", "d180", "d270")]
    yield File("animated-gif", drawing.animated(turns, "gif"), "4 frames, GIF")
    yield File("animated-webp", drawing.animated(turns, "webp"), "4 frames, WebP")
    yield File("transparent-png", drawing.encoded(drawing.fading(cat), "png"), "transparency, PNG")
    yield File("transparent-webp", drawing.encoded(drawing.fading(rainbow), "webp"), "drawn, transparency, WebP")
    yield File("drawn-16-bit", bytes(rainbow.colourspace("rgb16").write_to_buffer(".png")), "drawn, 16-bit PNG")
    printed = cat.icc_transform("cmyk", input_profile="srgb")
    yield File("print-cmyk", drawing.encoded(printed, "jpeg"), "CMYK JPEG with its profile")
    progressive = bytes(cat.write_to_buffer(".jpg[Q=85,interlace]"))
    yield File("progressive", progressive, "progressive JPEG")
    yield File("panorama", drawing.encoded(drawing.rainbow(2400, 120), "jpeg"), "drawn, 20:1, JPEG")
    yield File("one-pixel", drawing.encoded(drawing.rainbow(1, 1), "png"), "drawn, 1 x 1, PNG")


def _large() -> Iterator[File]:
    yield File("large-astronaut", drawing.photograph_file("astronaut.png"), "PNG, by reference")
    yield File("large-galaxies", drawing.photograph_file("hubble_deep_field.jpg"), "JPEG, by reference")
    yield File("large-retina", drawing.photograph_file("retina.jpg"), "JPEG, by reference")
    camera = drawing.photograph("rocket.jpg").resize(6.25)
    yield File("large-rocket", drawing.encoded(camera, "jpeg"), "10 megapixels, JPEG, by reference")


def _broken() -> Iterator[File]:
    truncated, bomb, text = BROKEN
    whole = drawing.encoded(drawing.photograph("chelsea.png"), "jpeg")
    yield File(truncated, whole[: len(whole) // 2], "the first half of a JPEG")
    yield File(bomb, drawing.bomb(60_000), "PNG that declares 60,000 x 60,000 pixels")
    yield File(text, b"This is no image, though its name says so.\n", "text that was uploaded as holiday.jpg")


def _stem(file_name: str) -> str:
    return file_name.partition(".")[0].replace("_", "-")
