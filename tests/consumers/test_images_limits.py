"""Files that must not be processed: each is refused with its reason, before it costs anything."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consumers.imaging import limits
from consumers.imaging.errors import (
    BrokenImageError,
    ImageBombError,
    ImageRejectError,
    ImageTooLargeError,
    TooManyFramesError,
    TruncatedImageError,
    UnsupportedImageError,
)
from consumers.imaging.limits import inspect
from consumers.imaging.vips import load_vips
from demo import drawing
from tests.support.pictures import FORMATS, Room, coffee, corners, variant

WHOLE = {
    **{name: drawing.encoded(coffee(), name) for name in (*FORMATS, "gif")},
    "progressive": bytes(coffee().write_to_buffer(".jpg[interlace]")),
    "interlaced": bytes(corners().write_to_buffer(".png[interlace]")),
    "animated gif": drawing.animated([corners(), corners().fliphor(), corners().flipver()], "gif"),
    "animated webp": drawing.animated([corners(), corners().fliphor(), corners().flipver()], "webp"),
}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "objects")


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0.05, 1, exclude_max=True))
@example(part=0.999999)
def test_an_image_cut_anywhere_is_truncated(room: Room, kind: str, part: float) -> None:
    data = WHOLE[kind]
    with pytest.raises(TruncatedImageError, match="truncated: the "):
        room.run(data[: int(len(data) * part)], variant())
    assert room.files() == {}


@pytest.mark.parametrize("kind", WHOLE)
def test_the_same_images_whole_are_processed(room: Room, kind: str) -> None:
    assert room.run(WHOLE[kind], variant()).variants[0].width == 100


def _jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(WHOLE["jpeg"])
    at = data.index(b"\xff\xc0")  # start of frame: length, precision, height, width
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _avif_of(width: int, height: int) -> bytes:
    data = bytearray(WHOLE["avif"])
    at = data.index(b"ispe")
    data[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(data)


@pytest.mark.parametrize("bomb", [drawing.bomb(60_000), _jpeg_of(60_000, 60_000), _avif_of(60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(bomb: bytes) -> None:
    assert len(bomb) < 100_000
    with pytest.raises(ImageBombError, match="bomb: 60,000 x 60,000 pixels are 3,600,000,000, more than 50,000,000"):
        inspect(bomb)


def test_a_bomb_beyond_what_the_format_allows_is_a_bomb_too() -> None:
    with pytest.raises(ImageBombError, match=r"bomb: .*65500 pixels"):
        inspect(_jpeg_of(65_535, 65_535))


def test_an_image_of_exactly_the_limit_passes_and_one_more_row_does_not() -> None:
    assert inspect(_jpeg_of(10_000, 5_000)).size == (10_000, 5_000)
    with pytest.raises(ImageBombError):
        inspect(_jpeg_of(10_000, 5_001))


def _film(frames: int) -> bytes:
    image = (load_vips().Image.xyz(8, 8 * frames)[1] * 37 % 256).cast("uchar").copy()  # no frame is like the one before
    image.set_type(load_vips().GValue.gint_type, "page-height", 8)
    return drawing.encoded(image, "gif")


def test_too_many_frames_are_refused() -> None:
    with pytest.raises(TooManyFramesError, match="too many frames: 1,001, more than 1,000"):
        inspect(_film(limits.MAX_FRAMES + 1))
    assert inspect(_film(limits.MAX_FRAMES)).frames == limits.MAX_FRAMES


def test_a_file_of_too_many_bytes_is_refused_inline_and_by_reference(room: Room) -> None:
    large = WHOLE["jpeg"] + bytes(limits.MAX_SOURCE_BYTES)
    with pytest.raises(ImageTooLargeError, match=r"too large: 33,\d{3},\d{3} bytes, more than 33,554,432"):
        inspect(large)
    room.store.put("large", large)
    with pytest.raises(ImageTooLargeError, match="too large: large has 33,"):
        room.run(None, reference="large")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, I am a JPEG",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"%PDF-1.7\n",
        b"BM" + bytes(100),
        bytes(coffee().write_to_buffer(".tif")),
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100),
    ],
)
def test_what_is_of_another_format_is_unsupported_and_never_reaches_a_decoder(room: Room, data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match=r"unsupported: .*the formats are jpeg, png, webp, avif, gif"):
        room.run(data, variant())


def test_the_content_decides_whatever_the_name_declares(room: Room) -> None:
    room.store.put("uploads/holiday.jpg", WHOLE["png"])
    assert room.run(None, variant(), reference="uploads/holiday.jpg").format == "png"


def test_other_loaders_of_libvips_are_blocked() -> None:
    pyvips = load_vips()
    with pytest.raises(pyvips.Error):
        pyvips.Image.new_from_buffer(bytes(coffee().write_to_buffer(".tif")), "")


def test_a_png_whose_data_are_damaged_is_broken(room: Room) -> None:
    data = bytearray(WHOLE["png"])
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(BrokenImageError, match="broken: the png file cannot be decoded"):
        room.run(bytes(data), variant())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(WHOLE)), damage=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)))
)
def test_a_damaged_file_is_processed_or_rejected_and_nothing_else(
    room: Room, kind: str, damage: list[tuple[float, bytes]]
) -> None:
    data = bytearray(WHOLE[kind])
    for part, noise in damage:
        at = int(part * (len(data) - len(noise)))
        data[at : at + len(noise)] = noise
    with suppress(ImageRejectError):
        done = room.run(bytes(data), variant())
        assert room.store.exists(done.variants[0].reference)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\0\0\0WEBP"]),
)
def test_any_bytes_at_all_are_rejected(data: bytes, start: bytes) -> None:
    with pytest.raises(ImageRejectError):
        inspect(start + data)
