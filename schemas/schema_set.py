"""Every schema this process knows: the current ones by name, the former ones by fingerprint."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from schemas import lint
from schemas.errors import ConfigurationError, SchemaNotFoundError

BUILT_IN = Path(__file__).parent
"""The folder of Headrace's own .avsc files."""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One schema, ready to read and write with.

    Attributes:
        name: the record's full name, such as "headrace.TextPosted".
        raw: as the file has it, with logical types, docs and defaults.
        parsed: fastavro's form, without logical types: a timestamp stays an integer (a datetime costs 0.45 us).
        fingerprint: CRC-64-AVRO of the parsing canonical form, 8 bytes, little-endian (Avro 1.12, "Schema Fingerprints").
        json: compact JSON of `raw`, as the registry gets it.
        path: its file, if it has one: FOLDER/text_posted.avsc, or FOLDER/history/text_posted/1.avsc for a former one.
    """

    name: str
    raw: dict[str, Any]
    parsed: Any = field(repr=False)
    fingerprint: bytes
    json: str = field(repr=False)
    path: Path | None = None

    @classmethod
    def of(cls, raw: Any, *, path: Path | None = None) -> "Schema":
        """A schema from its JSON form.

        Raises:
            ConfigurationError: if it is no schema, or one that is dangerous to decode with (see schemas.lint).
        """
        import fastavro
        from fastavro.schema import SchemaParseException, UnknownType, fingerprint, to_parsing_canonical_form

        if found := lint.problems(raw):
            raise ConfigurationError(found)
        try:
            parsed = fastavro.parse_schema(without_logical_types(raw))
            digest = fingerprint(to_parsing_canonical_form(raw), "CRC-64-AVRO")
        except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError([f"it is not an Avro schema: {error!r}"]) from error
        text = json.dumps(raw, separators=(",", ":"), ensure_ascii=False)
        return cls(_name_of(raw), raw, parsed, bytes.fromhex(digest), text, path)


class SchemaSet:
    """Current schemas by name; current and former ones by fingerprint."""

    def __init__(self, current: Mapping[str, Schema], former: Sequence[Schema] = ()) -> None:
        self._current = dict(current)
        self._former = tuple(former)
        self._by_fingerprint = {schema.fingerprint: schema for schema in (*self._former, *self._current.values())}

    @classmethod
    def load(cls, *folders: Path) -> "SchemaSet":
        """Read `folder/*.avsc` and `folder/history/*/*.avsc` of each folder; Headrace's own when none is named.

        Raises:
            ConfigurationError: naming every file that is wrong, all at once.
        """
        loader = _Loader()
        for folder in folders or (BUILT_IN,):
            loader.read(folder)
        if loader.problems:
            raise ConfigurationError(loader.problems)
        return cls(loader.current, loader.former)

    def __getitem__(self, name: str) -> Schema:
        """The current schema of a full name, or of a bare name that only one record has.

        Raises:
            SchemaNotFoundError: if there is none, or more than one.
        """
        if found := self._current.get(name):
            return found
        fitting = [schema for full, schema in self._current.items() if full.rpartition(".")[2] == name]
        if len(fitting) == 1:
            return fitting[0]
        known = ", ".join(schema.name for schema in fitting) or ", ".join(sorted(self._current)) or "none"
        raise SchemaNotFoundError(f"no schema is named {name!r}; those that could be meant: {known}")

    def __contains__(self, name: object) -> bool:
        return name in self._current

    def __iter__(self) -> Iterator[Schema]:
        return iter(self._current.values())

    def __len__(self) -> int:
        return len(self._current)

    def by_fingerprint(self, fingerprint: bytes) -> Schema | None:
        """The schema of a CRC-64-AVRO fingerprint (8 bytes, little-endian), former ones included."""
        return self._by_fingerprint.get(fingerprint)

    def history(self, schema: Schema) -> list[Schema]:
        """The frozen versions of a current schema, by its file's name, the oldest first."""
        if schema.path is None:
            return []
        folder = history_folder(schema.path)
        return sorted((former for former in self._former if former.path and former.path.parent == folder), key=_version)


def without_logical_types(schema: Any) -> Any:
    """The schema with every logicalType left out: values stay what they are on the wire."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    nested = ("type", "items", "values")
    plain = {
        key: without_logical_types(value) if key in nested else value
        for key, value in schema.items()
        if key != "logicalType"
    }
    if isinstance(schema.get("fields"), list):
        plain["fields"] = [without_logical_types(part) for part in schema["fields"]]
    return plain


class _Loader:
    """Collects schemas and problems from folders."""

    def __init__(self) -> None:
        self.current: dict[str, Schema] = {}
        self.former: list[Schema] = []
        self.problems: list[str] = []

    def read(self, folder: Path) -> None:
        if not folder.is_dir():
            self.problems.append(f"{folder}: there is no such folder of .avsc files")
        for path in sorted(folder.glob("*.avsc")):
            self._read_current(path)
        for path in sorted(folder.glob("history/*/*.avsc")):
            self._read_former(path)

    def _read_current(self, path: Path) -> None:
        schema = self._schema(path)
        if schema is None:
            return
        self.problems += [f"{path.name}: {problem}" for problem in lint.event_problems(schema.raw)]
        if schema.name in self.current:
            self.problems.append(f"{path.name}: {schema.name} is defined in another file too")
        self.current[schema.name] = schema

    def _read_former(self, path: Path) -> None:
        where = f"history/{path.parent.name}/{path.name}"
        if not path.stem.isdecimal():
            self.problems.append(f"{where}: the name must be the version's number, such as 1.avsc")
        elif schema := self._schema(path):
            self.former.append(schema)

    def _schema(self, path: Path) -> Schema | None:
        try:
            return Schema.of(msgspec.json.decode(path.read_bytes()), path=path)
        except ConfigurationError as error:
            self.problems += [f"{path.name}: {problem}" for problem in error.problems]
        except (msgspec.DecodeError, OSError) as error:
            self.problems.append(f"{path.name}: {error}")
        return None


def history_folder(path: Path) -> Path:
    """Where the former versions of a current .avsc file stand, as 1.avsc, 2.avsc, ..."""
    return path.parent / "history" / path.stem


def _version(schema: Schema) -> int:
    return int(schema.path.stem) if schema.path else 0


def _name_of(raw: Any) -> str:
    return lint.names_of(raw, "")[0] if isinstance(raw, dict) and "name" in raw else str(raw)
