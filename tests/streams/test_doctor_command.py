"""`headrace doctor`: all well, and each fault with its remedy."""

import json

import msgspec
import pytest

from devstack.ports import free_ports
from tests.support.commands import headrace


def examined(settings, **environ):
    """The exit code, and the findings by check."""
    ran = headrace(settings, "doctor", "-o", "json", **environ)
    assert ran.stderr == ""
    return ran.returncode, {row["check"]: row for row in json.loads(ran.stdout)}


@pytest.fixture
def healthy(settings):
    assert headrace(settings, "init", "--yes").returncode == 0
    return settings


def only_fault(settings, check, **environ):
    """The one finding that is not as it should be."""
    code, found = examined(settings, **environ)
    assert code == 1
    assert [name for name, row in found.items() if row["ok"] != "yes"] == [check]
    return found[check]


def test_where_all_is_well_it_says_so_and_ends_with_0(healthy):
    code, found = examined(healthy)
    assert code == 0
    assert {row["ok"] for row in found.values()} == {"yes"}
    assert list(found) == ["packages", "catalogue", "broker", "registry", "topics", "store", "database", "disk"]
    assert all(row["remedy"] is None for row in found.values())
    assert found["broker"]["seen"] == healthy.bootstrap_servers


def test_with_a_registry_it_looks_at_that_and_at_the_subjects(settings, registry_url):
    settings = msgspec.structs.replace(settings, registry_url=registry_url)
    assert headrace(settings, "init", "--yes").returncode == 0
    code, found = examined(settings)
    assert (code, found["registry"]["seen"]) == (0, registry_url)
    assert "subjects" in found


def test_missing_topics_are_named_and_init_makes_them(settings):
    fault = only_fault(settings, "topics")
    assert f"missing: {settings.prefix}images.uploaded" in fault["seen"]
    assert fault["remedy"] == "headrace init"


def test_a_broker_that_is_down(settings):
    away = msgspec.structs.replace(settings, bootstrap_servers=f"127.0.0.1:{free_ports(1)[0]}")
    code, found = examined(away)
    assert code == 1
    assert [name for name, row in found.items() if row["ok"] != "yes"] == ["broker", "topics"]
    assert away.bootstrap_servers in found["broker"]["seen"]
    assert "make stack" in found["broker"]["remedy"]
    assert "headrace init" in found["topics"]["remedy"]


def test_a_registry_that_is_down(healthy):
    away = msgspec.structs.replace(healthy, registry_url=f"http://127.0.0.1:{free_ports(1)[0]}")
    code, found = examined(away)
    assert code == 1
    assert found["registry"]["ok"] == "NO"
    assert "unset SCHEMA_REGISTRY_URL" in found["registry"]["remedy"]


def test_a_store_that_cannot_be_written(healthy, tmp_path):
    (tmp_path / "file").write_text("no folder")
    fault = only_fault(msgspec.structs.replace(healthy, store_url=str(tmp_path / "file" / "objects")), "store")
    assert "HEADRACE_STORE_URL" in fault["remedy"]


@pytest.mark.parametrize(
    "url", ["sqlite:///{folder}/file/headrace.db", "postgresql+psycopg://u:hidden@127.0.0.1:1/db", "oops"]
)
def test_a_database_that_cannot_be_had(healthy, tmp_path, url):
    (tmp_path / "file").write_text("no folder")
    fault = only_fault(msgspec.structs.replace(healthy, database_url=url.format(folder=tmp_path)), "database")
    assert "HEADRACE_DATABASE_URL" in fault["remedy"]
    assert "hidden" not in json.dumps(fault)


def test_a_catalogue_that_is_wrong(healthy):
    code, found = examined(msgspec.structs.replace(healthy, catalogue="no.such"))
    assert code == 1
    assert "ModuleNotFoundError" in found["catalogue"]["seen"]
    assert "HEADRACE_CATALOGUE" in found["catalogue"]["remedy"]


def test_a_folder_whose_package_would_hide_ours(healthy, tmp_path):
    (tmp_path / "here" / "schemas").mkdir(parents=True)
    ran = headrace(healthy, "doctor", "-o", "json", cwd=tmp_path / "here", PYTHONPATH="")
    (fault,) = (row for row in json.loads(ran.stdout) if row["ok"] != "yes")
    assert ran.returncode == 1
    assert fault["check"] == "packages"
    assert str(tmp_path / "here" / "schemas") in fault["seen"]


def test_the_table_shows_the_remedies_too(settings):
    ran = headrace(settings, "doctor")
    assert ran.returncode == 1
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith("topics"))
    assert "headrace init" in line
