"""A full disk under the object store or the database: nothing is lost, and all goes on when there is room."""

import json

import msgspec
import pytest

from producers.publisher import Publisher
from schemas.records import ActivityRecorded, ImageUploaded
from tests.support.commands import headrace
from tests.support.disks import small_disk
from tests.support.flows import eventually
from tests.support.topics import read_all


def lines_with(worker, *words):
    return [line for line in worker.text().splitlines() if all(word in line for word in words)]


@pytest.fixture
def provisioned(settings):
    """Headrace's own topics under the test's prefix."""
    assert headrace(settings, "init", "--yes").returncode == 0
    return settings


def test_a_full_object_store_loses_nothing_and_goes_on_when_there_is_room(provisioned, start_worker, tmp_path):
    with small_disk(tmp_path / "small", "1m") as disk:
        settings = msgspec.structs.replace(provisioned, store_url=str(disk.folder / "objects"))
        filler = disk.fill()
        with Publisher(settings) as publisher:
            publisher.publish_many(ImageUploaded(image_id=f"i{n}", content=drawn(n)) for n in range(3))
        worker = start_worker(settings, "--agents", "images", within=disk.within)
        eventually(lambda: lines_with(worker, "retried", "kind=unavailable", "object-store"))
        assert topic_of(settings, "images.processed") == []
        filler.unlink()
        # The circuit probes every 30 s at most, and an image that failed by itself may wait a minute in a retry topic. Seen: 117 s
        # on a busy machine.
        eventually(lambda: len(topic_of(settings, "images.processed")) == 3, limit_s=300)
        assert topic_of(settings, "images.dlq") == []
        assert worker.terminate() == 0


def test_a_full_disk_under_the_database_loses_nothing_and_goes_on_when_there_is_room(
    provisioned, start_worker, tmp_path
):
    with small_disk(tmp_path / "small", "64m") as disk:
        settings = msgspec.structs.replace(provisioned, database_url=f"sqlite:///{disk.folder / 'headrace.db'}")
        worker = start_worker(settings, "--agents", "analytics", within=disk.within)
        with Publisher(settings) as publisher:
            record_activity(publisher, 100)
            publisher.flush()
            eventually(lambda: counted(settings, disk) == 100)
            filler = disk.fill()
            record_activity(publisher, 20_000)
        eventually(lambda: lines_with(worker, "kind=unavailable", "database"))
        assert counted(settings, disk) < 20_100
        filler.unlink()
        eventually(lambda: counted(settings, disk) == 20_100, limit_s=120)
        assert topic_of(settings, "analytics.dlq") == []
        assert worker.terminate() == 0


def drawn(number):
    """A small picture of its own."""
    import pyvips

    return pyvips.Image.gaussnoise(96, 96, mean=128, sigma=40, seed=number).cast("uchar").pngsave_buffer()


def record_activity(publisher, events):
    publisher.publish_many(
        ActivityRecorded(user_id=f"u{number % 500}", kind="view", url=f"/page/{number}", duration_ms=number % 1000)
        for number in range(events)
    )


def counted(settings, disk):
    """How many events the table of analytics holds."""
    ran = headrace(settings, "analytics", "--since", "start", "-o", "json", within=disk.within)
    assert ran.returncode == 0, ran
    return sum(row["count"] for row in json.loads(ran.stdout))


def topic_of(settings, name):
    return read_all(settings.bootstrap_servers, settings.prefix + name)
