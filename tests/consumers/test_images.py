"""The images agent on real images: every format in and out, what it says of them, and what it writes."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from consumers.context import Context, Resources
from consumers.errors import Retry, Unavailable
from consumers.images import process
from consumers.imaging.errors import InvalidUploadError
from consumers.imaging.requests import MAX_VARIANTS
from consumers.imaging.sniff import sniff
from consumers.imaging.vips import load_vips
from demo import drawing
from tests.support.pictures import FORMATS, Room, coffee, corners, quarters, upload, variant


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "objects")


@pytest.mark.parametrize("source", [*FORMATS, "gif"])
def test_every_format_becomes_every_format(room: Room, source: str) -> None:
    data = drawing.encoded(corners(), source)
    done = room.run(data, *(variant(name, width=120, height=80, format=name) for name in FORMATS))
    assert (done.format, done.frames, done.width, done.height) == (source, 1, 240, 160)
    assert (done.size_bytes, done.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    for number, made in enumerate(done.variants):
        file = room.store.get(made.reference)
        assert sniff(file) == made.format == FORMATS[number]
        assert (made.size_bytes, made.sha256) == (len(file), hashlib.sha256(file).hexdigest())
        picture = room.picture(done, number)
        assert (picture.width, picture.height) == (made.width, made.height) == (120, 80)
        assert quarters(picture) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("source", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_applied(room: Room, orientation: int, source: str) -> None:
    image = corners()
    if source == "jpeg":
        data = drawing.turned(image, orientation)
    else:
        jpeg = load_vips().Image.new_from_buffer(drawing.turned(image, orientation), "")
        data = drawing.encoded(jpeg, source)
    done = room.run(data, variant(width=60, height=60), variant("square", width=60, height=60, fit="cover"))
    assert (done.width, done.height) == (240, 160)
    assert [(made.width, made.height) for made in done.variants] == [(60, 40), (60, 60)]
    for number in range(2):
        picture = room.picture(done, number)
        assert quarters(picture) == ["red", "green", "blue", "white"]
        assert not picture.get_typeof("orientation")


@pytest.mark.parametrize("image_format", FORMATS)
def test_no_metadata_is_left(room: Room, image_format: str) -> None:
    image = coffee().icc_transform("p3", input_profile="srgb").copy()
    image.set_type(load_vips().GValue.gstr_type, "exif-ifd3-GPSLatitude", "48/1 51/1 30/1 (48, 51, 30)")
    image.set_type(load_vips().GValue.gstr_type, "exif-ifd0-Make", "Camera of a known person")
    data = drawing.encoded(image, "jpeg")
    before = load_vips().Image.new_from_buffer(data, "").get_fields()
    assert {"icc-profile-data", "exif-ifd3-GPSLatitude", "exif-ifd0-Make"} <= set(before)
    done = room.run(data, variant(format=image_format))
    left = room.picture(done).get_fields()
    assert not [field for field in left if field.startswith(("exif", "icc", "xmp", "iptc"))]
    assert b"known person" not in room.store.get(done.variants[0].reference)


def test_a_wide_gamut_profile_is_converted_not_just_dropped(room: Room) -> None:
    plain = room.picture(room.run(drawing.encoded(coffee(), "png"), variant()))
    tagged = coffee().icc_transform("p3", input_profile="srgb")
    assert tagged(300, 50) != coffee()(300, 50)
    converted = room.picture(room.run(drawing.encoded(tagged, "png"), variant()))
    assert (plain - converted).abs().max() <= 12
    assert (plain - converted).abs().avg() < 1


def test_transparency_is_kept_where_the_format_has_it_and_white_in_jpeg(room: Room) -> None:
    done = room.run(
        drawing.encoded(corners().bandjoin(0).copy(interpretation="srgb"), "png"),
        *(variant(name, format=name) for name in FORMATS),
    )
    jpeg, *others = (room.picture(done, number) for number in range(4))
    assert (jpeg.bands, jpeg(50, 30)) == (3, [255, 255, 255])
    assert [(picture.bands, picture(50, 30)[3]) for picture in others] == [(4, 0)] * 3
    assert done.dominant_colors == ()


def test_an_animation_counts_its_frames_and_shows_the_first(room: Room) -> None:
    frames = [corners(), corners().rot("d180"), corners().fliphor()]
    for image_format in ("gif", "webp"):
        done = room.run(drawing.animated(frames, image_format), variant(format="webp"))
        assert (done.format, done.frames, done.width, done.height) == (image_format, 3, 240, 160)
        picture = room.picture(done)
        assert (picture.get_n_pages(), quarters(picture)) == (1, ["red", "green", "blue", "white"])


def test_cmyk_sixteen_bits_grey_and_palette_become_the_same_picture(room: Room) -> None:
    plain = room.picture(room.run(drawing.encoded(coffee(), "png"), variant()))
    deep = bytes(coffee().colourspace("rgb16").write_to_buffer(".png"))
    palette = bytes(coffee().write_to_buffer(".png[palette]"))
    printed = drawing.encoded(coffee().icc_transform("cmyk", input_profile="srgb"), "jpeg")
    for data, difference in ((deep, 1), (palette, 4), (printed, 16)):  # inks cannot print every colour
        picture = room.picture(room.run(data, variant()))
        assert (picture.bands, picture.format) == (3, "uchar")
        assert (picture - plain).abs().avg() < difference
    grey = room.run(drawing.encoded(coffee().colourspace("b-w"), "png"), variant())
    assert all(color[1:3] == color[3:5] == color[5:7] for color in grey.dominant_colors)


def test_nothing_asked_for_gives_the_agents_own_variants(room: Room) -> None:
    done = room.run(drawing.encoded(coffee(), "jpeg"))
    assert [(made.name, made.format, made.width, made.height) for made in done.variants] == [
        ("thumbnail", "webp", 320, 320),
        ("preview", "jpeg", 600, 400),
    ]


def test_the_same_event_gives_the_same_bytes_and_writes_nothing_new(room: Room, tmp_path: Path) -> None:
    asked = [variant(name, width=300, height=300, format=name) for name in FORMATS]
    data = drawing.encoded(coffee(), "webp")
    first, files = room.run(data, *asked), room.files()
    again = room.run(data, *asked)
    elsewhere = Room(tmp_path / "elsewhere")
    third = elsewhere.run(data, *asked)
    same = [msgspec.structs.replace(done, event_id="", occurred_at=0) for done in (first, again, third)]
    assert same[0] == same[1] == same[2]
    assert room.files() == files == elsewhere.files()


def test_other_quality_or_another_source_gets_another_folder(room: Room) -> None:
    data = drawing.encoded(coffee(), "jpeg")
    done = [
        room.run(data, variant(format="jpeg", quality=50)),
        room.run(data, variant(format="jpeg", quality=90)),
        room.run(drawing.encoded(corners(), "jpeg"), variant(format="jpeg", quality=50)),
    ]
    assert len({made.variants[0].reference for made in done}) == 3
    assert done[0].variants[0].size_bytes < done[1].variants[0].size_bytes


def test_fingerprints_belong_to_the_image_not_to_the_variants_or_the_encoding(room: Room) -> None:
    wide = coffee().resize(4).copy_memory()
    assert wide.width == 2400
    small = room.run(drawing.encoded(wide, "jpeg"), variant(width=10, height=10))
    large = room.run(drawing.encoded(wide, "jpeg"), variant(width=2300, height=2300, format="jpeg"))
    assert (small.dhash, small.blurhash, small.dominant_colors) == (large.dhash, large.blurhash, large.dominant_colors)
    assert large.variants[0].width == 2300
    near = room.run(drawing.encoded(coffee().resize(0.5), "webp"), variant())
    other = room.run(drawing.encoded(drawing.photograph("chelsea.png"), "jpeg"), variant())
    assert _bits(small.dhash, near.dhash) <= 6 < 16 <= _bits(small.dhash, other.dhash)
    assert (len(small.dhash), len(small.blurhash)) == (16, 28)


def _bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_dominant_colours_come_in_the_order_of_their_area(room: Room) -> None:
    image = corners().crop(0, 0, 200, 140)  # of red 120 x 80, of green 80 x 80, of blue 120 x 60, of white 80 x 60
    colors = room.run(drawing.encoded(image, "png"), variant()).dominant_colors
    assert colors[:4] == ("#ff0000", "#0000ff", "#00ff00", "#ffffff")
    assert len(colors) <= 5


def test_a_reference_is_read_from_the_store(room: Room) -> None:
    data = drawing.encoded(coffee(), "jpeg")
    room.store.put("uploads/a photo.jpg", data)
    assert room.run(None, reference="uploads/a photo.jpg").sha256 == hashlib.sha256(data).hexdigest()


def test_a_reference_that_leads_nowhere_yet_is_tried_again(room: Room) -> None:
    with pytest.raises(Retry, match=r"uploads/late\.jpg.*may be late"):
        room.run(None, reference="uploads/late.jpg")


@pytest.mark.parametrize("reference", ["/etc/passwd", "../outside.jpg", "images/../../x", ""])
def test_a_reference_out_of_the_store_is_rejected(room: Room, reference: str) -> None:
    with pytest.raises(InvalidUploadError, match="invalid: reference: "):
        room.run(None, reference=reference)


def test_exactly_one_of_content_and_reference_is_needed(room: Room) -> None:
    with pytest.raises(InvalidUploadError, match="none is set"):
        room.run(None)
    with pytest.raises(InvalidUploadError, match="both are set"):
        room.run(b"x", reference="a")


def test_a_store_that_is_down_makes_the_record_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    context = Context(resources=Resources("s3://bucket"))
    for event in (upload(drawing.encoded(corners(), "png")), upload(None, reference="a")):
        with pytest.raises(Unavailable, match="object-store is unavailable: s3://bucket"):
            process(event, context)


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "a\\b", ".hidden", "a.b", "nul\0", "x" * 65, "ümlaut", "-flag", "a\n"]
)
def test_a_hostile_variant_name_is_rejected(room: Room, name: str) -> None:
    with pytest.raises(InvalidUploadError, match=r"invalid: variants\[1\]\.name="):
        room.run(drawing.encoded(corners(), "png"), variant(), variant(name))
    assert room.files() == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [("width", 0), ("width", 4_097), ("height", -1), ("height", 2**31 - 1), ("quality", 0), ("quality", 101)],
)
def test_a_variant_out_of_bounds_is_rejected_by_the_name_of_its_field(room: Room, field: str, value: int) -> None:
    with pytest.raises(InvalidUploadError, match=rf"variants\[0\]\.{field}={value}"):
        room.run(drawing.encoded(corners(), "png"), variant(**{field: value}))


def test_too_many_variants_or_two_of_one_name_are_rejected(room: Room) -> None:
    data = drawing.encoded(corners(), "png")
    with pytest.raises(InvalidUploadError, match="variants has 17 entries"):
        room.run(data, *(variant(f"v{number}") for number in range(MAX_VARIANTS + 1)))
    with pytest.raises(InvalidUploadError, match=r"variants\[1\]\.name='BIG' is the name of an earlier variant"):
        room.run(data, variant("big"), variant("BIG"))


def test_variants_that_are_too_much_work_together_are_rejected_before_any_is_made(room: Room) -> None:
    data = drawing.encoded(drawing.rainbow(4_096, 4_096), "jpeg")
    asked = [variant(name, width=4_096, height=4_096, format="avif") for name in ("a", "b")]
    with pytest.raises(InvalidUploadError, match="33,554,432 pixels together"):
        room.run(data, *asked)
