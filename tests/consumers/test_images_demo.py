"""The demo's images: as many and as various as promised, and each does what its note says."""

from collections import Counter
from typing import NamedTuple

import pytest

from consumers.errors import Reject
from consumers.images import process
from consumers.imaging.sniff import sniff
from demo import images
from tests.support.pictures import Room


class Demo(NamedTuple):
    files: list[images.File]
    room: Room
    uploads: list[images.Upload]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    room = Room(tmp_path_factory.mktemp("demo"))
    return Demo(list(images.files()), room, images.uploads(room.store))


def test_there_are_enough_of_every_format_and_every_id_is_unique(demo: Demo) -> None:
    assert len(demo.files) == len({file.image_id for file in demo.files}) >= 60
    formats = Counter(sniff(file.data) for file in demo.files)
    assert min(formats[name] for name in ("jpeg", "png", "webp", "avif", "gif")) >= 7


def test_large_files_go_by_reference_small_ones_inline_and_all_are_the_same_in_every_run(demo: Demo) -> None:
    for upload, file in zip(demo.uploads, demo.files, strict=True):
        inline = len(file.data) <= images.MAX_INLINE_BYTES
        assert (upload.event.content is not None) is inline
        assert file.data == (upload.event.content or demo.room.store.get(upload.event.reference or ""))
    assert sum(upload.event.reference is not None for upload in demo.uploads) >= 4


def test_all_are_processed_but_the_three_broken_ones(demo: Demo) -> None:
    rejected = {}
    for upload in demo.uploads:
        try:
            assert process(upload.event, demo.room.context).variants
            assert not upload.broken
        except Reject as error:
            rejected[upload.event.image_id] = str(error).partition(":")[0]
    assert rejected == {"broken-truncated": "truncated", "broken-bomb": "bomb", "broken-text": "unsupported"}
    assert {upload.event.image_id for upload in demo.uploads if upload.broken} == set(rejected)
