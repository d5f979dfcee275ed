"""The settings of a node, and the layout that they come from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.layout import Layout
from devstack.properties import server_properties

text = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\x85"), min_size=1)


def parsed(properties: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in properties.splitlines())


@given(folder=text)
def test_any_path_is_written_as_java_reads_it(folder: str) -> None:
    layout = Layout.new(brokers=1, port=9092)
    written = parsed(server_properties(0, layout, Path("/") / folder))["log.dirs"]
    assert written.isascii()
    read = written.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")
    assert read == str(Path("/") / folder)


@given(brokers=st.sampled_from([1, 3]), port=st.integers(1, 60_000), index=st.integers(0, 2))
def test_every_listener_is_on_the_loopback_address(brokers: int, port: int, index: int) -> None:
    layout = Layout.new(brokers=brokers, port=port)
    settings = parsed(server_properties(min(index, brokers - 1), layout, Path("data")))
    addresses = [part.split("://")[1] for part in settings["listeners"].split(",")]
    assert {address.rsplit(":", 1)[0] for address in addresses} == {"127.0.0.1"}


@pytest.mark.parametrize(("brokers", "copies", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_three_brokers_keep_three_copies_of_which_two_must_be_written(brokers: int, copies: str, in_sync: str) -> None:
    settings = parsed(server_properties(0, Layout.new(brokers=brokers, port=9092), Path("data")))
    assert settings["default.replication.factor"] == settings["offsets.topic.replication.factor"] == copies
    assert settings["min.insync.replicas"] == settings["transaction.state.log.min.isr"] == in_sync


def test_a_layout_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    layout = Layout.new(brokers=3, port=9092).with_registry(8081)
    layout.save(tmp_path)
    assert Layout.load(tmp_path) == layout
    assert layout.bootstrap_servers == "127.0.0.1:9092,127.0.0.1:9094,127.0.0.1:9096"
    assert layout.voters == "1@127.0.0.1:9093,2@127.0.0.1:9095,3@127.0.0.1:9097"


def test_the_cluster_id_never_looks_like_an_option() -> None:
    assert all(Layout.new(brokers=1, port=1).cluster_id[0] == "A" for _ in range(50))
