import subprocess
import sys

import pytest

import schemas


def _modules_after(source: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{source}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = _modules_after("import schemas")
    assert not loaded & {"fastavro", "msgspec", "polars", "avro", "confluent_kafka", "schemas.records"}


@pytest.mark.parametrize("module", ["schemas.records", "schemas.codec", "schemas.catalogue", "schemas.settings"])
def test_no_module_of_the_everyday_loads_what_is_heavy(module: str) -> None:
    loaded = _modules_after(f"import {module}")
    assert not loaded & {
        "fastavro",
        "polars",
        "avro",
        "faust",
        "httpx",
        "confluent_kafka",
        "schemas.registry",
        "schemas.columnar",
    }


def test_a_codec_loads_fastavro_and_neither_polars_nor_a_registry() -> None:
    loaded = _modules_after("from schemas import Codec, SchemaSet; Codec(SchemaSet.load())")
    assert "fastavro" in loaded
    assert not loaded & {"polars", "avro", "schemas.registry", "schemas.columnar"}


def test_every_public_name_is_there() -> None:
    assert all(getattr(schemas, name).__name__ == name for name in schemas.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = schemas.Nothing
