"""Sizes of variants: pure arithmetic, by properties; then the same on real pixels."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.imaging.geometry import Size, centred, fitted, shrunk
from demo import drawing
from tests.support.pictures import Room, variant

sides = st.integers(1, 4_096)
sources = st.builds(Size, st.integers(1, 20_000), st.integers(1, 20_000))
boxes = st.builds(Size, sides, sides)


@given(sources, boxes)
def test_contain_fits_the_box_keeps_the_shape_and_never_enlarges(source: Size, box: Size) -> None:
    size = fitted(source, box, "contain")
    assert size.width <= min(box.width, source.width)
    assert size.height <= min(box.height, source.height)
    assert abs(size.width * source.height - size.height * source.width) <= max(source)
    touches = size.width == box.width or size.height == box.height
    assert touches or size == source


@given(sources, boxes)
def test_cover_fills_the_box_where_the_image_allows_and_keeps_the_boxs_shape(source: Size, box: Size) -> None:
    size = fitted(source, box, "cover")
    assert size.width <= min(box.width, source.width)
    assert size.height <= min(box.height, source.height)
    if source.width >= box.width and source.height >= box.height:
        assert size == box
    else:
        assert size.width == source.width or size.height == source.height
        assert abs(size.width * box.height - size.height * box.width) <= max(box)


@given(sources, st.lists(st.tuples(boxes, st.sampled_from(["cover", "contain"]))), st.integers(1, 4_096))
def test_the_working_image_holds_every_variant_and_is_no_larger_than_the_source(
    source: Size, asked: list[tuple[Size, str]], least: int
) -> None:
    targets = [fitted(source, box, "cover" if fit == "cover" else "contain") for box, fit in asked]
    working = shrunk(source, targets, least_side=least)
    assert working.width <= source.width
    assert working.height <= source.height
    assert max(working) >= min(least, max(source))
    for target in targets:
        assert target.width <= working.width
        assert target.height <= working.height


@given(boxes, boxes)
def test_the_cut_lies_within_the_image_and_in_its_middle(image: Size, target: Size) -> None:
    area = centred(image, target)
    assert area.width == image.width or area.height == image.height
    right, below = image.width - area.left - area.width, image.height - area.top - area.height
    assert 0 <= right - area.left <= 1
    assert 0 <= below - area.top <= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    source=st.builds(Size, st.integers(1, 700), st.integers(1, 500)),
    box=st.builds(Size, st.integers(1, 800), st.integers(1, 800)),
    fit=st.sampled_from(["cover", "contain"]),
    file=st.sampled_from(["jpeg", "png", "webp"]),
)
def test_the_files_have_the_sizes_that_the_arithmetic_says(
    tmp_path: Path, source: Size, box: Size, fit: str, file: str
) -> None:
    room = Room(tmp_path)
    data = drawing.encoded(drawing.rainbow(*source), file)
    done = room.run(data, variant(width=box.width, height=box.height, fit=fit, format=file))
    picture = room.picture(done)
    assert (done.width, done.height) == source
    expected = fitted(source, box, "cover" if fit == "cover" else "contain")
    assert Size(picture.width, picture.height) == expected
    assert (done.variants[0].width, done.variants[0].height) == expected


@pytest.mark.parametrize(("box", "red_and_blue"), [((80, 160), True), ((240, 40), False)])
def test_cover_cuts_both_ends_evenly(tmp_path: Path, box: tuple[int, int], *, red_and_blue: bool) -> None:
    """Of a gradient along one side, the middle of the variant is the middle of the image."""
    room = Room(tmp_path)
    image = drawing.rainbow(240, 160)
    picture = room.picture(room.run(drawing.encoded(image, "png"), variant(width=box[0], height=box[1], fit="cover")))
    assert (picture.width, picture.height) == box
    middle = image.crop(120 - box[0] // 2, 80 - box[1] // 2, *box)
    assert (picture - middle).abs().max() <= 1
