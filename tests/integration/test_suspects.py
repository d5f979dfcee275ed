"""A record that kills its worker: found by the next one, dead-lettered after its attempts, and no crash loop over workers."""

from collections import Counter

import msgspec
import pytest
import sqlalchemy as sa

from consumers.runtime import metadata
from consumers.runtime.broker_view import BrokerView
from consumers.runtime.metadata import Hold
from tests.support.flows import Flow, eventually
from tests.support.shop.counting import seen
from tests.support.shop.records import OrderConfirmed, OrderPlaced

CRASHING = "tests.support.crashing"
DEATHS = [
    ("in-threads", "segfault", b"by signal 11"),
    ("inline", "killed", b"by signal 9"),
    ("asyncio", "segfault", b"by signal 11"),
    ("of-many", "die", b"with exit code 9"),
]
DEATHS_OF_A_PARTITION = 3
"""The one that may have moved the commit, and two that died where it stands; then it is taken carefully."""
MOST_OWNERS = 5
"""The one that may have moved the commit, two that died where it stands, the careful one, and one for a partition's rebalance."""


@pytest.fixture
def crashing(settings, make_topic, tmp_path):
    """The shop, with a ledger of what was really handled."""
    flow = Flow(msgspec.structs.replace(settings, group_session_timeout_ms=3000), make_topic)
    flow.ledger = tmp_path / "ledger"
    flow.ledger.touch()
    yield flow
    flow.sender.close()


class Orchestrator:
    """Starts a worker again whenever it has ended, as an orchestrator would."""

    def __init__(self, flow, start_worker, agent, **environ):
        self._flow, self._start_worker, self._agent = flow, start_worker, agent
        self._environ = {"SHOP_LEDGER": flow.ledger, **environ}
        self.workers = []
        flow.make_topic(f"{agent}.dlq", partitions=1)

    def keep(self):
        """Start the first worker, or another one in place of one that has ended; how many have died so far."""
        if not self.workers or self.workers[-1].process.poll() is not None:
            options = ("--agents", self._agent, "--catalogue", CRASHING)
            self.workers.append(self._start_worker(self._flow.settings, *options, **self._environ))
        return len(self.workers) - 1

    def until(self, check, limit_s=120):
        def kept():
            self.keep()
            return check()

        eventually(kept, limit_s, every_s=0.2)

    def told(self):
        return "\n".join(worker.text() for worker in self.workers)


def letters_of(flow, agent):
    return {m.key().decode(): dict(m.headers()) for m in flow.read(flow.settings.names.dead_letter(agent))}


def confirmed(flow):
    return Counter(flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed))


def handled(flow):
    """How often each order was really handled."""
    return Counter(line.split()[2] for line in flow.ledger.read_text().splitlines())


@pytest.mark.parametrize(("agent", "wish", "how"), DEATHS)
def test_a_record_that_kills_its_worker_is_dead_lettered_and_its_neighbours_are_not(
    crashing, start_worker, agent, wish, how
):
    innocent = [(f"o{number:03}", "ok") for number in range(200)]
    crashing.place(*innocent[:120], ("killer", wish), *innocent[120:])
    workers = Orchestrator(crashing, start_worker, agent)
    workers.until(lambda: crashing.lag(agent) == 0)
    letters = letters_of(crashing, agent)
    assert list(letters) == ["killer"], letters
    letter = letters["killer"]
    assert letter["headrace-attempts"] == b"3"
    assert letter["headrace-error-class"] == b"ProcessDied"
    assert letter["headrace-error-message"] == b"the handler's process ended " + how
    assert len(workers.workers) <= MOST_OWNERS
    assert set(confirmed(crashing)) == {order_id for order_id, _ in innocent}
    assert "taken_carefully" in workers.workers[-1].text()
    if wish == "segfault":
        assert all("in end_process" in worker.text() for worker in (workers.workers[0], workers.workers[-1]))
    assert workers.workers[-1].terminate() == 0


def test_of_an_unordered_agent_a_record_that_kills_waits_aside_for_its_attempts_and_kills_no_worker_again(
    crashing, start_worker
):
    for delay_s in (1, 3):
        crashing.make_topic(f"unordered.retry.{delay_s}s", partitions=1)
    crashing.place(("killer", "segfault"), *[(f"o{number:03}", "ok") for number in range(60)])
    workers = Orchestrator(crashing, start_worker, "unordered")
    workers.until(lambda: crashing.lag("unordered") == 0 and letters_of(crashing, "unordered"))
    (letter,) = letters_of(crashing, "unordered").items()
    assert (letter[0], letter[1]["headrace-attempts"]) == ("killer", b"3")
    assert len(workers.workers) <= MOST_OWNERS
    assert len(confirmed(crashing)) == 60


def test_an_exact_agent_finds_the_record_that_kills_and_counts_every_other_once(crashing, start_worker):
    crashing.place(*[(f"o{number:03}", "ok") for number in range(150)], ("killer", "segfault"))
    crashing.place(*[(f"o{number:03}", "ok") for number in range(150, 300)])
    workers = Orchestrator(crashing, start_worker, "counting")
    workers.until(lambda: crashing.lag("counting") == 0)
    (letter,) = letters_of(crashing, "counting").items()
    assert (letter[0], letter[1]["headrace-attempts"]) == ("killer", b"3")
    assert len(workers.workers) <= MOST_OWNERS
    assert sorted(order_ids(crashing.settings)) == [f"o{number:03}" for number in range(300)]


def order_ids(settings):
    """The orders that are stored, as often as they are."""
    engine = sa.create_engine(settings.database_url)
    with engine.connect() as connection:
        found = connection.execute(sa.select(seen.c.order_id)).scalars().all()
    engine.dispose()
    return found


@pytest.mark.slow
def test_several_records_that_kill_end_in_as_many_letters_and_few_deaths(crashing, start_worker):
    orders = [(f"o{number:03}", "ok") for number in range(400)]
    for number in range(5):
        orders.insert(20 + 80 * number, (f"killer{number}", "segfault"))
    crashing.place(*orders)
    workers = Orchestrator(crashing, start_worker, "in-threads")
    workers.until(lambda: crashing.lag("in-threads") == 0)
    assert sorted(letters_of(crashing, "in-threads")) == [f"killer{number}" for number in range(5)]
    assert len(confirmed(crashing)) == 400
    partitions = {letter["headrace-origin-partition"] for letter in letters_of(crashing, "in-threads").values()}
    assert len(workers.workers) <= DEATHS_OF_A_PARTITION * len(partitions) + 1


@pytest.mark.slow
def test_a_kill_from_outside_dead_letters_nothing_however_often_it_comes(crashing, start_worker):
    crashing.place(*[(f"o{number:03}", "slow:0.05") for number in range(200)])
    workers = Orchestrator(crashing, start_worker, "in-threads")
    for _ in range(3):
        before = sum(handled(crashing).values())
        workers.until(lambda before=before: sum(handled(crashing).values()) > before + 5)
        workers.workers[-1].kill()
    workers.until(lambda: crashing.lag("in-threads") == 0)
    assert letters_of(crashing, "in-threads") == {}
    assert len(confirmed(crashing)) == 200


def test_what_a_child_died_of_is_still_a_suspect_after_its_owner_has_left_cleanly(crashing, start_worker):
    """And its attempts go on counting: the next owner does not begin anew, nor in a thread."""
    crashing.place(("killer", "segfault"))
    workers = Orchestrator(crashing, start_worker, "tenacious")
    view, group = BrokerView(crashing.settings), crashing.settings.names.group("tenacious")

    def deaths():
        commits = view.commits(group, [crashing.placed]).values()
        return sum(times for commit in commits for _, times in metadata.decode(commit.said).died)

    workers.until(lambda: deaths() >= 1)
    assert workers.workers[-1].terminate() == 0
    told = deaths()
    workers.keep()
    workers.until(lambda: deaths() > told)
    assert "attempt=1 " not in workers.workers[-1].text()
    assert workers.workers[-1].terminate() == 0
    view.close()


def test_a_partition_whose_suspects_run_alone_keeps_no_other_waiting(crashing, start_worker):
    """They take their time; what lies in other partitions had to wait until all that was taken of them was tried."""
    crashing.place(*[OrderPlaced(order_id="suspect", wish="slow:0.01", sequence=each) for each in range(1500)])
    careful = max(crashing.ends(crashing.placed).items(), key=lambda end: end[1])[0]
    crashing.commit_as_a_member("in-threads", careful, 0, hold=Hold("dead", 0, deaths=1, in_flight=1024))
    workers = Orchestrator(crashing, start_worker, "in-threads")
    workers.until(lambda: handled(crashing)["suspect"])
    crashing.place(*[(f"o{number}", "ok") for number in range(60)])
    others = sum(end for partition, end in crashing.ends(crashing.placed).items() if partition != careful)

    def by_partition():
        return Counter(int(line.split()[0]) == careful for line in crashing.ledger.read_text().splitlines())

    workers.until(lambda: by_partition()[False] == others)
    assert "taken_carefully" in workers.workers[-1].text()
    assert by_partition()[True] < 1000
    workers.until(lambda: crashing.lag("in-threads") == 0)
    assert handled(crashing)["suspect"] == 1500


@pytest.mark.slow
def test_clean_restarts_make_nothing_careful(crashing, start_worker):
    """Not even where records wait, and the commit stands still: a slow one is given up at the end of the drain."""
    crashing.place(("slow", "slow:60"), *[(f"o{number}", "ok") for number in range(40)])
    workers = Orchestrator(crashing, start_worker, "in-threads", HEADRACE_STOP_LIMIT_S=8)
    for _ in range(3):  # two deaths would make the third careful
        workers.keep()
        workers.workers[-1].await_line("slow begins")
        assert workers.workers[-1].terminate() == 70, "one of its handlers did not end"
    assert len(workers.workers) == 3
    assert "taken_carefully" not in workers.told()


def test_after_clean_stops_the_next_owner_suspects_nobody(crashing, start_worker):
    crashing.place(*[(f"o{number}", "ok") for number in range(40)])
    workers = Orchestrator(crashing, start_worker, "in-threads")
    for number in range(3):
        workers.until(lambda: crashing.lag("in-threads") == 0)
        assert workers.workers[-1].terminate() == 0
        crashing.place(*[(f"p{number}.{each}", "ok") for each in range(40)])
    workers.until(lambda: crashing.lag("in-threads") == 0)
    assert "taken_carefully" not in workers.told()
