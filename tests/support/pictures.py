"""Real images for tests, and a short way through the images agent."""

from pathlib import Path
from typing import Any

from consumers.context import Context, Resources
from consumers.images import process
from consumers.imaging.vips import load_vips
from demo import drawing
from schemas.records import ImageProcessed, ImageUploaded, VariantRequest

FORMATS = ("jpeg", "png", "webp", "avif")


def coffee() -> Any:
    """A photograph of 600 x 400 pixels."""
    return drawing.photograph("coffee.png")


def corners(width: int = 240, height: int = 160) -> Any:
    """Four plain quarters: red and green above, blue and white below."""
    red, green, blue, white = ([255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255])
    quarters = [
        load_vips().Image.black(width // 2, height // 2).bandjoin([0, 0]).linear(1, color).cast("uchar")
        for color in (red, green, blue, white)
    ]
    return load_vips().Image.arrayjoin(quarters, across=2).copy(interpretation="srgb").copy_memory()


def quarters(image: Any) -> list[str]:
    """The colours in the middles of the four quarters, row by row, by name."""
    points = [(x * image.width // 4, y * image.height // 4) for y in (1, 3) for x in (1, 3)]
    return [_name(image(x, y)[:3]) for x, y in points]


def _name(color: list[float]) -> str:
    known = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    return min(known, key=lambda name: sum((a - b) ** 2 for a, b in zip(known[name], color, strict=True)))


def variant(name: str = "v", **fields: Any) -> VariantRequest:
    """A request of 100 x 100, contain, PNG unless said otherwise."""
    return VariantRequest(**{"name": name, "width": 100, "height": 100, "fit": "contain", "format": "png", **fields})


def upload(content: bytes | None, *variants: VariantRequest, **fields: Any) -> ImageUploaded:
    """An event whose id and time are always the same."""
    return ImageUploaded(
        image_id="a", content=content, variants=variants, **{"event_id": "e", "occurred_at": 1, **fields}
    )


class Room:
    """A store in a folder, and the agent on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context = Context(agent="images", resources=Resources(str(folder)))
        self.store = self.context.store

    def run(self, content: bytes | None, *variants: VariantRequest, **fields: Any) -> ImageProcessed:
        """What the agent makes of an upload."""
        return process(upload(content, *variants, **fields), self.context)

    def picture(self, processed: ImageProcessed, number: int = 0) -> Any:
        """A variant, decoded."""
        data = self.store.get(processed.variants[number].reference)
        return load_vips().Image.new_from_buffer(data, "").copy_memory()

    def files(self) -> dict[str, bytes]:
        """Every file in the folder, staged ones too."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }
