"""What each kind of contestant runs on: a broker with the ids in it, workers, and a look at what was left."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import devstack
from bench import rabbitmq
from bench.children import Child, environment, tail
from bench.environments import ROOT, python_of
from bench.errors import UnavailableContestantError
from bench.loss import kafka
from bench.loss.contestants import Contestant
from bench.loss.outcome import Left
from bench.loss.workload import Item
from devstack.ports import free_ports
from producers import Publisher
from schemas.catalogue import load_catalogue
from schemas.provision import apply, plan
from schemas.settings import Settings

PEERS = Path(__file__).parent / "peers"
_SCRIPT_LIMIT_S = 120


@dataclass(slots=True)
class Field:
    """One contestant's place: its folder, its Python, its broker's address."""

    contestant: Contestant
    folder: Path
    python: Path
    broker: str
    positions: kafka.Positions

    def start(self, number: int) -> Child:
        """Start a worker."""
        program, *options = [word.format(worker=number) for word in self.contestant.command]
        env = self._environment(BENCH_WORKER=str(number), BENCH_PORT=str(free_ports(1)[0]))
        command = [str(self.python.parent / program), *options]
        folder = self.folder if self.contestant.environment else ROOT
        return Child(command, env=env, cwd=folder, log=self.folder / f"worker{number}.log")

    def publish(self, items: list[Item]) -> None:
        """Publish every id, acknowledged by the broker."""
        if self.contestant.script:
            (self.folder / "items.json").write_text(json.dumps(items))
            self._script("publish")
        elif self.contestant.environment:
            kafka.create_topic(self.broker)
            self.positions = kafka.publish(self.broker, items, lambda item: json.dumps(item._asdict()).encode())
        else:
            self._publish_avro(items)

    def left_behind(self) -> Left:
        """Where the ids are that nobody handled."""
        if self.contestant.script:
            found = json.loads(self._script("leftovers"))
            return Left(dead=frozenset(found["dead"]), waiting=frozenset(found["waiting"]))
        dead_letters = None if self.contestant.environment else f"{kafka.GROUP}.dlq"
        return kafka.left_behind(self.broker, self.positions, dead_letters=dead_letters)

    def _publish_avro(self, items: list[Item]) -> None:
        """Headrace's ids travel as its events do, in Avro."""
        from bench.loss.records import ItemPosted

        settings = Settings(bootstrap_servers=self.broker, catalogue="bench.loss.agents")
        catalogue = load_catalogue(settings.catalogue)
        apply(settings, plan(settings, catalogue, agents=catalogue.agents))
        with Publisher(settings, catalogue) as publisher:
            encoded = {
                item: publisher.prepare(ItemPosted(item_id=item.item_id, kind=item.kind)).value for item in items
            }
        self.positions = kafka.publish(self.broker, items, lambda item: encoded[item] or b"")

    def _environment(self, **more: str) -> dict[str, str]:
        own = {"BENCH_FOLDER": str(self.folder), "BENCH_BROKER": self.broker, "BENCH_VARIANT": self.contestant.variant}
        if self.contestant.environment:
            own |= {"PYTHONPATH": str(PEERS), "C_FORCE_ROOT": "1"}
        else:
            own |= {
                "PYTHONPATH": str(ROOT),
                "KAFKA_BOOTSTRAP_SERVERS": self.broker,
                "HEADRACE_STORE_URL": str(self.folder / "objects"),
                "HEADRACE_DATABASE_URL": f"sqlite:///{self.folder / 'headrace.db'}",
            }
        return environment(self.folder, **own, **more)

    def _script(self, verb: str) -> str:
        """Run the peer's own script in its own environment; what it prints."""
        log = self.folder / f"{verb}.log"
        with log.open("wb") as errors:
            done = subprocess.run(
                [str(self.python), str(PEERS / self.contestant.script), verb],
                env=self._environment(), cwd=self.folder, stdout=subprocess.PIPE, stderr=errors,
                timeout=_SCRIPT_LIMIT_S, check=False,
            )  # fmt: skip
        if done.returncode != 0:
            raise UnavailableContestantError(f"{self.contestant.script} {verb} failed: {tail(log)[-300:]}")
        return done.stdout.decode()


@contextmanager
def field_of(contestant: Contestant, folder: Path) -> Iterator[Field]:
    """Bring up the broker that a contestant needs, of its own; it is down at the end.

    Raises:
        UnavailableContestantError: when something that it needs is missing.
    """
    (folder / "tried").mkdir()
    python = python_of(contestant.environment) if contestant.environment else Path(sys.executable)
    if contestant.broker == "rabbitmq":
        with rabbitmq.broker(folder) as url:
            yield Field(contestant, folder, python, url, {})
    else:
        with devstack.up(port=0, data=folder / "kafka") as stack:
            yield Field(contestant, folder, python, stack.bootstrap_servers, {})
