"""Images and texts for the agents that work on them; the same in every run."""

import itertools
from collections.abc import Iterator

from consumers.store import open_store
from demo import drawing
from demo.texts import texts
from schemas.records import ImageUploaded, TextPosted

IMAGES, TEXTS = 600, 16_000
"""A few seconds' work each."""
_WIDTH_PX, _HEIGHT_PX = 448, 384
_PHOTOGRAPHS = ("astronaut.png", "coffee.png", "hubble_deep_field.jpg", "retina.jpg")


def uploads(count: int) -> Iterator[ImageUploaded]:
    """So many JPEGs of 448 x 384 pixels, some 40 kB, no two alike: of the same bytes the store would keep one."""
    photographs = [drawing.photograph(name) for name in _PHOTOGRAPHS]
    for number in range(count):
        image = photographs[number % len(photographs)]
        across, down = image.width - _WIDTH_PX, image.height - _HEIGHT_PX
        cut = image.crop(number * 7 % (across + 1), number * 13 % (down + 1), _WIDTH_PX, _HEIGHT_PX)
        yield ImageUploaded(image_id=f"image-{number:04d}", content=drawing.encoded(cut, "jpeg"), uploaded_by="bench")


def posts(count: int) -> Iterator[TextPosted]:
    """So many of the demo's reviews in 21 languages, again and again."""
    reviews = [event.text for event in texts(open_store("memory://")) if event.text]
    for number, review in zip(range(count), itertools.cycle(reviews), strict=False):
        yield TextPosted(text_id=f"text-{number:05d}", text=review, author_id="bench")
