"""What a run stands on, and what a fault may touch: the brokers, the topics, the workers, the load, the sampler."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from consumers.runtime.kit import open_kit
from devstack import Stack
from producers.sender import Sender
from schemas.settings import Settings
from tests.chaos import ledger
from tests.chaos.load import source_topic, tasks
from tests.chaos.options import Options
from tests.chaos.producer import Producer
from tests.chaos.proxy import ProxyProcess
from tests.chaos.sampler import Sampler
from tests.chaos.say import say
from tests.chaos.stored import StoredOffsets
from tests.chaos.witness import Witness
from tests.chaos.workers import Crew, Worker
from tests.support import plain
from tests.support.commands import headrace
from tests.support.disks import SmallDisk

CATALOGUE = "tests.chaos.agents"
DATABASE, OBJECTS = "headrace.db", "objects"
_READY_S = 90.0
_TURN_S = 0.05


@dataclass(frozen=True, slots=True)
class Blow:
    """A fault that took partitions from their owner: which process, or None for all of them, when, and until when."""

    fault: str
    at_ns: int
    pid: int | None
    over_ns: int


@dataclass(slots=True)
class Stage:
    """One run's surroundings; `opened` makes and ends them.

    Attributes:
        direct: settings that lead to the brokers without the proxy; the harness's own clients use these.
        blows: what took partitions away.
        epoch: how often the topic was made again.
        excused: (epoch, partition, from, up to) of offsets that a fault itself has deleted, unhandled.
        said_lost: ranges that an agent itself has called lost, by its name.
        unsaid: where an agent should have stopped, or said what is lost, and did not.
        unstruck: how many strikes were not made, because the load did not get so far in time.
        witness: of how long commits take; None where no invariant asks.
        proxies: where the fault "network" cuts; None without it.
        disk: the small file system of the faults "disk" and "store"; None without them.
        stored: how far analytics' transactions have come; None for other loads.
    """

    options: Options
    stack: Stack
    direct: Settings
    folder: Path
    admin: Any
    sender: Sender
    crew: Crew
    producer: Producer
    sampler: Sampler
    witness: Witness | None
    proxies: ProxyProcess | None
    disk: SmallDisk | None
    stored: StoredOffsets | None
    blows: list[Blow] = field(default_factory=list)
    excused: list[tuple[int, int, int, int]] = field(default_factory=list)
    said_lost: dict[str, list[tuple[int, int, int, int]]] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)
    unstruck: int = 0
    epoch: int = 0

    @property
    def topic(self) -> str:
        """The source topic's name on the broker."""
        return self.direct.names.topic(source_topic(self.options))

    def hit(self, fault: str, pid: int | None, at_ns: int | None = None) -> None:
        """Note a blow, of now unless it is told of when, and look at the commits right after it."""
        at_ns = at_ns or time.time_ns()
        self.blows.append(Blow(fault, at_ns, pid, at_ns))
        self.sampler.sample()

    def kill(self, worker: Worker, fault: str = "kill") -> None:
        """SIGKILL a worker, look at the commits right after it, and see that its children end too."""
        killed_ns, children = self.crew.kill(worker)
        self.hit(fault, worker.pid, killed_ns)
        self.crew.await_orphans(children)

    def over(self) -> None:
        """The last blow is over: what it took away is there again."""
        blow = self.blows[-1]
        self.blows[-1] = replace(blow, over_ns=time.time_ns())
        say(f"{blow.fault} was over after {(self.blows[-1].over_ns - blow.at_ns) / 1e9:.1f} s")

    def pause(self, seconds: float) -> None:
        """Let time pass; whoever crashes meanwhile is replaced."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self.crew.tend()
            time.sleep(min(_TURN_S, max(0.0, until_s - time.monotonic())))

    def wait(self, check: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until the check is true; whether it became so within the limit."""
        until_s = time.monotonic() + limit_s
        while not check():
            if time.monotonic() > until_s:
                return False
            self.pause(_TURN_S)
        return True

    def await_ready(self, number: int) -> None:
        """Wait until so many workers are ready; a run that cannot have them goes on and is judged by what it did."""
        if not self.wait(lambda: len(self.crew.ready) >= number, _READY_S):
            say(f"only {len(self.crew.ready)} of {number} workers were ready within {_READY_S:.0f} s")

    def victim(self, random: Random) -> Worker:
        """Any worker that works."""
        self.await_ready(1)
        ready = sorted(self.crew.ready, key=lambda worker: str(worker.log))
        return random.choice(ready or self.crew.workers)

    @property
    def database_url(self) -> str:
        """The database for the harness's own eyes: of one that only the workers' namespace can open, a copy."""
        if self.disk is None or "disk" not in self.options.names:
            return self.direct.database_url
        for file in self.disk.seen.glob(f"{DATABASE}*"):
            shutil.copy(file, self.folder)
        return f"sqlite:///{self.folder / DATABASE}"

    @property
    def objects(self) -> Path:
        """The folder of the object store, for the harness's own eyes; plain files."""
        return (self.disk.seen if self.disk and "store" in self.options.names else self.folder) / OBJECTS

    def owner(self, partition: int) -> Worker | None:
        """Who worked last on a partition, by the ledger of the first agent; None where that one works no more."""
        pid = ledger.last_pid(self.folder / ledger.FOLDER, self.options.agents[0], partition)
        return next((worker for worker in self.crew.workers if worker.pid == pid), None)

    def set_topic(self, topic: str, **config: object) -> None:
        """Change properties of a topic, given in the catalogue's words; a property of None goes back to its default."""
        operations = {True: AlterConfigOpType.DELETE, False: AlterConfigOpType.SET}
        entries = [
            ConfigEntry(name.replace("_", "."), str(value), incremental_operation=operations[value is None])
            for name, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, self.direct.names.topic(topic), incremental_configs=entries)
        for future in self.admin.incremental_alter_configs([resource]).values():
            future.result(20)


@contextmanager
def opened(
    options: Options,
    stack: Stack,
    folder: Path,
    *,
    prefix: str,
    proxies: ProxyProcess | None,
    disk: SmallDisk | None,
    database_url: str | None,
) -> Iterator[Stage]:
    """The topics, the producer, the sampler and an empty crew; all of it is gone at the end, whatever happens.

    Args:
        database_url: of a database server; None for a file of the run's own.
    """
    with ExitStack() as at_end:
        direct = Settings(
            bootstrap_servers=stack.bootstrap_servers,
            prefix=prefix,
            catalogue=CATALOGUE,
            store_url=str(_home("store", options, folder, disk) / OBJECTS),
            database_url=database_url or f"sqlite:///{_home('disk', options, folder, disk) / DATABASE}",
            group_session_timeout_ms=options.session_ms,
            group_heartbeat_interval_ms=300,
        )
        environ = _environ(options, folder)
        made = headrace(direct, "init", "--yes", **environ)
        if made.returncode:
            raise RuntimeError(f"the topics cannot be made: {made.stderr}")
        sender = Sender(direct, client_id="chaos")
        at_end.callback(sender.close, 5.0)
        within = disk.within if disk else list
        crew = Crew(_as_workers_see(direct, proxies), options.agents, folder, environ, options.mutation, within)
        at_end.callback(crew.close)
        names, admin = direct.names, plain.admin_of(stack.bootstrap_servers)
        topic = names.topic(source_topic(options))
        producer = Producer(sender, topic, _load(options, direct, topic), rate=options.rate)
        at_end.callback(producer.stop)
        groups = [names.group(agent) for agent in options.agents]
        sampler = Sampler(admin, stack.bootstrap_servers, groups, topic)
        topic_id = sampler.begin_epoch(0)
        stored = None
        if options.load == "activity":
            stored = StoredOffsets(direct.database_url, groups[0], topic_id)
            sampler.then = partial(_look_beside, stored, sampler, groups[0])
            at_end.callback(stored.close)
        at_end.callback(sampler.close)
        witness = Witness(stack.bootstrap_servers, names.group("witness"), topic) if options.strict_redo else None
        if witness is not None:
            at_end.callback(witness.close)
        stage = Stage(
            options, stack, direct, folder, admin, sender, crew, producer, sampler, witness, proxies, disk, stored
        )
        for agent in options.agents:
            stage.set_topic(f"{agent}.dlq", message_timestamp_type="LogAppendTime")
        yield stage


def _look_beside(stored: StoredOffsets, sampler: Sampler, group: str) -> None:
    stored.look(sampler.offsets(group))


def _home(fault: str, options: Options, folder: Path, disk: SmallDisk | None) -> Path:
    """The folder of what the fault fills."""
    return disk.folder if disk and fault in options.names else folder


def _load(options: Options, settings: Settings, topic: str) -> Iterator[Any]:
    codec = open_kit(settings).codec
    if options.load == "activity":
        from tests.chaos.activity import events

        return events(options, codec, topic=topic)
    return tasks(options, codec, topic=topic)


def _as_workers_see(direct: Settings, proxies: ProxyProcess | None) -> Settings:
    import msgspec

    return msgspec.structs.replace(direct, bootstrap_servers=proxies.servers) if proxies else direct


def _environ(options: Options, folder: Path) -> dict[str, str]:
    """What tests/chaos/agents.py and the handlers read, and what a fault asks of the workers' settings."""
    from tests.chaos.faults import FAULTS

    (folder / ledger.FOLDER).mkdir(exist_ok=True)
    environ = {
        "CHAOS_PARTITIONS": str(options.partitions),
        "CHAOS_MAX_IN_FLIGHT": str(options.max_in_flight),
        "CHAOS_DEADLINE_S": str(options.deadline_s),
        "CHAOS_RESET": options.reset,
        ledger.VARIABLE: str(folder / ledger.FOLDER),
        "LOG_LEVEL": "INFO",
    }
    for name in sorted(options.names):
        environ |= FAULTS[name].environ
    return environ
