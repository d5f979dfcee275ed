"""The images agent as the catalogue has it: through the runtime's own decoding, fate and encoding, without a broker."""

from pathlib import Path

import msgspec
import pytest

from consumers.runtime.fate import DeadLetter, TryAgain
from consumers.runtime.local import run_agent
from demo import drawing
from schemas.records import ImageProcessed
from schemas.settings import Settings
from tests.support.pictures import corners, upload, variant


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store_url=str(tmp_path / "objects"))


def test_a_good_image_is_done_and_its_result_is_the_same_at_every_run(settings: Settings) -> None:
    event = upload(drawing.encoded(corners(), "png"), variant())
    ran = run_agent("images", event, settings=settings)
    assert ran.failure is None
    [(name, fields)] = ran.results
    assert name == ImageProcessed.__schema_name__
    result = msgspec.convert(fields, ImageProcessed)
    assert (result.image_id, result.source_event_id, result.occurred_at) == ("a", "e", 1)
    assert run_agent("images", event, settings=settings, attempt=2).results == ran.results


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (drawing.encoded(corners(), "jpeg")[:-20], "TruncatedImageError", "truncated: "),
        (drawing.bomb(60_000), "ImageBombError", "bomb: 60,000 x 60,000"),
        (b"no image", "UnsupportedImageError", "unsupported: "),
    ],
)
def test_a_broken_image_is_dead_lettered_at_its_first_attempt(
    settings: Settings, content: bytes, error: str, reason: str
) -> None:
    ran = run_agent("images", upload(content), settings=settings)
    assert ran.failure is not None
    assert ran.fate == DeadLetter()
    assert ran.failure.error_class == error
    assert ran.failure.message.startswith(reason)


def test_a_reference_that_leads_nowhere_is_tried_again(settings: Settings) -> None:
    fate = run_agent("images", upload(None, reference="uploads/late"), settings=settings).fate
    assert isinstance(fate, TryAgain)
    assert fate.counted
