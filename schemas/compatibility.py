"""Each current schema against every former version of it, in both directions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from schemas.errors import IncompatibleSchemaError
from schemas.schema_set import Schema, SchemaSet, history_folder, without_logical_types

Kind = Literal["backward", "forward", "not frozen", "removed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a schema is not fit to be used beside its former versions.

    Attributes:
        kind: "backward": it cannot read what the version wrote; "forward": the version cannot read what it writes;
            "not frozen": it differs from its last version, or has none; "removed": there are versions, and no .avsc file.
        record: the record's full name.
        version: the former version's number; 0 where there is none.
        reason: in words.
    """

    kind: Kind
    record: str
    version: int
    reason: str

    def __str__(self) -> str:
        return f"{self.record} ({self.kind}, version {self.version}): {self.reason}"


def check(folder: Path) -> list[Finding]:
    """Everything that is wrong with a folder of .avsc files and its history; empty when all is well.

    Raises:
        ConfigurationError: if a file is no schema.
    """
    schemas = SchemaSet.load(folder)
    found = [
        finding for schema in schemas for finding in (*_incompatible(schemas, schema), *_unfrozen(schemas, schema))
    ]
    return [*found, *_removed(folder)]


def freeze(folder: Path) -> list[Path]:
    """Add each schema that differs from its last version to the history; the files written.

    Raises:
        IncompatibleSchemaError: if one is incompatible with a former version; then nothing is written.
        ConfigurationError: if a file is no schema.
    """
    schemas = SchemaSet.load(folder)
    found = [finding for schema in schemas for finding in _incompatible(schemas, schema)]
    if found:
        raise IncompatibleSchemaError("\n".join(["nothing is frozen:", *map(str, found)]))
    return [_write_next(schemas, schema) for schema in schemas if _differs_from_last(schemas, schema)]


def differences(reader: Schema, writer: Schema) -> list[str]:
    """Why records of the writer cannot be read by the reader; empty when they can (Avro 1.12, "Schema Resolution")."""
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

    checker: Any = ReaderWriterCompatibilityChecker
    result = checker().get_compatibility(_parsed(reader), _parsed(writer))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    places = zip(sorted(result.locations), sorted(result.messages), strict=False)
    return [f"{place}: {message}" for place, message in places] or [str(result.incompatibilities)]


def _incompatible(schemas: SchemaSet, schema: Schema) -> Iterator[Finding]:
    for former in schemas.history(schema):
        for reason in differences(schema, former):
            yield Finding("backward", schema.name, _number(former), reason)
        for reason in differences(former, schema):
            yield Finding("forward", schema.name, _number(former), reason)


def _unfrozen(schemas: SchemaSet, schema: Schema) -> Iterator[Finding]:
    if _differs_from_last(schemas, schema):
        versions = schemas.history(schema)
        what = "it differs from its last version" if versions else "it has no version yet"
        yield Finding("not frozen", schema.name, len(versions), f"{what}; add it with: headrace schema freeze")


def _removed(folder: Path) -> Iterator[Finding]:
    for former in sorted(folder.glob("history/*")):
        if former.is_dir() and not (folder / f"{former.name}.avsc").exists():
            versions = len(list(former.glob("*.avsc")))
            yield Finding(
                "removed", former.name, versions, f"{former.name}.avsc is gone; its records may still be in topics"
            )


def _differs_from_last(schemas: SchemaSet, schema: Schema) -> bool:
    versions = schemas.history(schema)
    return not versions or _without_docs(versions[-1].raw) != _without_docs(schema.raw)


def _write_next(schemas: SchemaSet, schema: Schema) -> Path:
    if schema.path is None:
        raise IncompatibleSchemaError(f"{schema.name} was not read from a file")
    versions = schemas.history(schema)
    path = history_folder(schema.path) / f"{_number(versions[-1]) + 1 if versions else 1}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(schema.path.read_bytes())
    return path


def _number(schema: Schema) -> int:
    return int(schema.path.stem) if schema.path else 0


def _parsed(schema: Schema) -> Any:
    """The form of the avro package; logical types change nothing on the wire, and it warns of those it does not know."""
    from avro.schema import parse

    return parse(json.dumps(without_logical_types(schema.raw)))


def _without_docs(schema: Any) -> Any:
    """A better wording is no new version."""
    if isinstance(schema, list):
        return [_without_docs(each) for each in schema]
    if isinstance(schema, dict):
        return {key: _without_docs(value) for key, value in schema.items() if key != "doc"}
    return schema
