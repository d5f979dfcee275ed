"""What a worker needs, checked one by one, each with its remedy."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from headrace import ROOMS, strangers
from schemas.errors import ConfigurationError, HeadraceError, MissingExtraError
from schemas.settings import Settings

_ROOM_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `ok`, what was seen, and what to do where it is not."""

    check: str
    ok: bool
    seen: str
    remedy: str | None = None


def findings(settings: Settings) -> Iterator[Finding]:
    """Every check, in the order in which one depends on the other."""
    for name, check in _CHECKS.items():
        try:
            yield from check(settings)
        except MissingExtraError as error:
            yield Finding(name, ok=False, seen="not installed", remedy=str(error))
        except (HeadraceError, OSError) as error:
            yield Finding(name, ok=False, seen=str(error), remedy=_REMEDIES[name])


def _rooms(_settings: Settings) -> Iterator[Finding]:
    home = Path(__file__).resolve().parent.parent
    here = [Path.cwd() / room for room in ROOMS if (Path.cwd() / room).is_dir()]
    foreign = [*strangers(home), *(place for place in here if place.resolve().parent != home)]
    seen = ", ".join(map(str, foreign)) or "no foreign package hides one of ours"
    yield Finding("packages", not foreign, seen, "rename it, or start from another folder" if foreign else None)


def _broker(settings: Settings) -> Iterator[Finding]:
    from producers.kafka import check_broker

    check_broker(settings, 5.0)
    yield Finding("broker", ok=True, seen=settings.bootstrap_servers)


def _registry(settings: Settings) -> Iterator[Finding]:
    if not settings.registry_url:
        yield Finding("registry", ok=True, seen="none configured: events travel in Avro's single-object encoding")
        return
    from schemas.registry import Registry

    Registry(settings.registry_url).versions("headrace-doctor")
    yield Finding("registry", ok=True, seen=str(settings.shown()["registry_url"]))


def _topics(settings: Settings) -> Iterator[Finding]:
    from schemas.catalogue import load_catalogue
    from schemas.provision import plan

    catalogue = load_catalogue(settings.catalogue)
    steps = plan(settings, catalogue, agents=catalogue.agents)
    for kind in ("topic", "subject"):
        of_kind = [step for step in steps if step.kind == kind]
        missing = [step.name for step in of_kind if step.adds]
        differing = [f"{step.name} ({step.detail})" for step in of_kind if step.action == "differs"]
        if of_kind:
            seen = f"{len(of_kind)} wanted" + "".join(f"; missing: {name}" for name in missing)
            remedy = "headrace init" if missing else None
            yield Finding(f"{kind}s", not missing, seen + "".join(f"; differs: {text}" for text in differing), remedy)


def _schemas(settings: Settings) -> Iterator[Finding]:
    from schemas.catalogue import load_catalogue

    catalogue = load_catalogue(settings.catalogue)
    problems = [problem for agent in catalogue.agents for problem in agent.problems()]
    if problems:
        raise ConfigurationError(problems)
    yield Finding(
        "catalogue",
        ok=True,
        seen=f"{settings.catalogue}: {len(catalogue.agents)} agents, {len(catalogue.topics)} topics",
    )


def _store(settings: Settings) -> Iterator[Finding]:
    from consumers.store import open_store

    store = open_store(settings.store_url)
    store.put("headrace-doctor/probe", b"probe")
    back = store.get("headrace-doctor/probe", max_bytes=16)
    store.delete("headrace-doctor/probe")
    yield Finding("store", back == b"probe", str(settings.shown()["store_url"]))


def _database(settings: Settings) -> Iterator[Finding]:
    from consumers.runtime.state import State

    state = State(settings.database_url, group="headrace-doctor")
    state.prepare()
    state.close()
    yield Finding("database", ok=True, seen=str(settings.shown()["database_url"]))


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = Path(settings.store_url)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1024**3:.1f} GiB free at {folder.resolve()}"
    yield Finding(
        "disk", free > _ROOM_BYTES, seen, None if free > _ROOM_BYTES else "make room: less than 1 GiB is left"
    )


_CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "packages": _rooms,
    "catalogue": _schemas,
    "broker": _broker,
    "registry": _registry,
    "topics": _topics,
    "store": _store,
    "database": _database,
    "disk": _disk,
}
_REMEDIES = {
    "packages": "rename it, or start from another folder",
    "catalogue": "correct the catalogue module named by HEADRACE_CATALOGUE",
    "broker": "make stack starts one; else set KAFKA_BOOTSTRAP_SERVERS",
    "registry": "start it, or unset SCHEMA_REGISTRY_URL to go without one",
    "topics": "make the broker reachable first, then: headrace init",
    "store": "make HEADRACE_STORE_URL a folder or bucket that this user may write to",
    "database": "make HEADRACE_DATABASE_URL a database that this user may write to",
    "disk": "make room",
}


def as_rows(found: Iterator[Finding]) -> Iterator[dict[str, object]]:
    """Findings as a listing prints them."""
    for finding in found:
        row = msgspec.to_builtins(finding)
        yield {**row, "ok": "yes" if finding.ok else "NO"}
