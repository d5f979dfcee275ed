"""The invariants, as pure functions over what was seen. Each gives its violations in words; none is none."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable

from tests.chaos.evidence import NEVER_NS, Evidence, Mended
from tests.chaos.ledger import Handling
from tests.chaos.sampler import Commit

_MS = 1_000_000
KILLS = frozenset({"kill", "kill-at-letters"})
"""Faults that end one worker by SIGKILL."""
COMMIT_INTERVAL_S = 0.1
"""What a kill may repeat, beside what ran, was finished within so long; commits go twice as often, so that half is their way."""
_BUSY_S = 0.25
"""On top of it, for a busy machine: what a commit takes there, or a thread waits for a core."""
_OWNED_WITHIN_S = 2.0
"""A worker that has handled a record of a partition so recently before it died held the partition."""


def lost(seen: Evidence) -> list[str]:
    """I1: every acknowledged record is handled, but for the poison, which is dead-lettered."""
    handled = {handling.number for handling in seen.handlings}
    owed = [number for number in sorted(seen.acked) if not seen.is_excused(number)]
    missing = [number for number in owed if number not in handled and number not in seen.poison]
    unparked = [number for number in owed if number in seen.poison and number not in seen.letters]
    return [f"record {number} at {seen.places.get(number)} was never handled" for number in missing] + [
        f"poison {number} at {seen.places.get(number)} has no dead letter" for number in unparked
    ]


def blamed(seen: Evidence) -> list[str]:
    """I1: exactly the poison set is dead-lettered, byte for byte."""
    innocent = [f"record {number} is dead-lettered, and is no poison" for number in seen.letters.keys() - seen.poison]
    flawed = [
        f"dead letter of {number}: {letter.flaw}"
        for number, letters in seen.letters.items()
        for letter in letters
        if letter.flaw
    ]
    return sorted(innocent) + flawed


def corrupted(seen: Evidence) -> list[str]:
    """I1: a payload reaches the handler, and its digest the result topic, unharmed."""
    harmed = [
        f"record {handling.number} reached its handler harmed" for handling in seen.handlings if not handling.intact
    ]
    wrong = [
        f"the result of {number} has another digest"
        for number, results in seen.results.items()
        if number not in seen.sent or any(result.digest != seen.sent[number].digest for result in results)
    ]
    return harmed + wrong


def out_of_order(seen: Evidence) -> list[str]:
    """I2: the first handlings of a key end in the order of its sequence."""
    if not seen.ordered:
        return []
    highest: dict[str, int] = {}
    known: set[int] = set()
    found = []
    for handling in seen.handlings:
        if handling.number in known or seen.is_excused(handling.number):  # another log's order is not this one's
            continue
        known.add(handling.number)
        if handling.sequence < highest.get(handling.key, -1):
            found.append(
                f"key {handling.key}: sequence {handling.sequence} was first handled after {highest[handling.key]}"
            )
        highest[handling.key] = max(handling.sequence, highest.get(handling.key, -1))
    return found


def counted_twice(seen: Evidence) -> list[str]:
    """I3: what promises exactly once has one effect a record; where its producer wrote one twice, these are two records."""
    if not seen.exact:
        return []
    return [
        f"record {number} at {partition}, {offset} is counted {count} times"
        for (number, partition, offset), count in sorted(_times(seen).items())
        if count > 1
    ]


def _times(seen: Evidence) -> Counter[tuple[int, int, int]]:
    """How often each record was handled, by number, partition and offset."""
    return Counter((handling.number, handling.partition, handling.offset) for handling in seen.handlings)


def finished_ns(seen: Evidence) -> dict[int, int]:
    """When each record was finished, by number: its result, row, dead letter or retry stood where it belongs."""
    finished = dict(seen.parked)
    for number, letters in seen.letters.items():
        finished[number] = min(finished.get(number, NEVER_NS), *(letter.at_ns for letter in letters))
    if seen.publishes:
        for number, results in seen.results.items():
            finished[number] = min(finished.get(number, NEVER_NS), *(result.at_ns for result in results))
    else:
        for handling in seen.handlings:
            finished[handling.number] = min(finished.get(handling.number, NEVER_NS), handling.ended_ns)
    return finished


def overruns(seen: Evidence) -> list[str]:
    """I4: at each sample the committed offset is at most the lowest unfinished one, and what its metadata tell is true."""
    finished = finished_ns(seen)
    logs: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for number, (epoch, partition, offset) in seen.places.items():
        logs[epoch, partition].append((offset, 0 if seen.is_excused(number) else finished.get(number, NEVER_NS)))
    at_ns = {place: dict(log) for place, log in logs.items()}
    covered = {place: _covered(sorted(log)) for place, log in logs.items()}
    found = []
    for commit in seen.commits:
        where = f"partition {commit.partition}: {commit.offset} was committed"
        offsets, until = covered.get((commit.epoch, commit.partition), ([], []))
        below = bisect_left(offsets, commit.offset)
        if below and until[below - 1] > commit.seen_ns:
            found.append(f"{where}, and what is below it finished {_late(until[below - 1], commit.seen_ns)}")
        of_log = at_ns.get((commit.epoch, commit.partition), {})
        for offset in _flagged(commit):
            if of_log.get(offset, 0) > commit.seen_ns:
                late = _late(of_log[offset], commit.seen_ns)
                found.append(f"{where}, its metadata call {offset} finished, which it was {late}")
    return found


def _late(at_ns: int, seen_ns: int) -> str:
    return "never" if at_ns >= NEVER_NS else f"{(at_ns - seen_ns) / 1e6:.0f} ms later"


def _flagged(commit: Commit) -> list[int]:
    """The offsets beyond the commit that its metadata call finished."""
    return [commit.offset + index for index, flag in enumerate(commit.beyond) if flag]


def _covered(log: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Offsets of a log, and for each the moment by which it and all before it were finished."""
    offsets, until, latest = [], [], 0
    for offset, at_ns in log:
        latest = max(latest, at_ns)
        offsets.append(offset)
        until.append(latest)
    return offsets, until


def unbalanced(seen: Evidence) -> list[str]:
    """I5: sent = handled + dead-lettered + waiting; waiting is what no commit covers yet."""
    handled = {handling.number for handling in seen.handlings} - seen.poison
    logged = {number for number in seen.places if not seen.is_excused(number)}
    settled = logged & (handled | set(seen.letters))
    waiting = {
        number
        for number in logged - settled
        if seen.places[number][0] == seen.epoch and seen.places[number][2] >= seen.final.get(seen.places[number][1], 0)
    }
    missing = len(logged) - len(settled) - len(waiting)
    return [f"sent {len(logged)} is not settled {len(settled)} + waiting {len(waiting)}"] if missing else []


def without_result(seen: Evidence) -> list[str]:
    """I8: each handled record's result is in the result topic, and its object, if it has one, in the object store."""
    if not seen.publishes:
        return []
    handled = {handling.number for handling in seen.handlings if not seen.is_excused(handling.number)} - seen.poison
    found = [
        f"record {number} was handled, and its result is nowhere" for number in sorted(handled - seen.results.keys())
    ]
    if seen.objects is None:
        return found
    return found + [
        f"record {number} was handled, and its object is nowhere, or harmed"
        for number in sorted(handled)
        if seen.objects.get(number) != seen.sent[number].digest
    ]


def recoveries_s(seen: Evidence) -> list[float]:
    """For I6: seconds from each attack's end, and from any outage after it, until each of its partitions is worked on again."""
    found: list[float] = []
    by_partition: dict[int, list[Handling]] = defaultdict(list)
    for handling in seen.handlings:
        by_partition[handling.partition].append(handling)
    ends = {partition: [h.ended_ns for h in handlings] for partition, handlings in by_partition.items()}
    for attack in seen.attacks:
        if attack.fault not in {*KILLS, "broker", "leader", "network", "stop"}:
            continue
        for partition, handlings in by_partition.items():
            at = bisect_left(ends[partition], attack.at_ns)
            before = handlings[max(0, at - 200) : at]
            since_ns = attack.at_ns - int(_OWNED_WITHIN_S * 1e9)
            held = any(attack.pid in {None, h.pid} and h.ended_ns >= since_ns for h in before)
            begun = handlings[bisect_left(ends[partition], attack.over_ns) :]
            after = next((h for h in begun if h.pid != attack.pid or attack.fault == "stop"), None)
            if held and after is not None:
                outages = [
                    other.over_ns for other in seen.attacks if other.pid is None and other.at_ns < after.ended_ns
                ]
                found.append(max(0.0, (after.ended_ns - max([attack.over_ns, *outages])) / 1e9))
    return found


def repeated(seen: Evidence) -> list[int]:
    """Numbers that were handled more than once, as often as they were repeated."""
    return [number for (number, *_), count in _times(seen).items() for _ in range(count - 1)]


def redone_too_much(seen: Evidence) -> list[str]:
    """I12: of what a killed worker had finished, only what it finished within one commit interval may be handled again.

    A busy machine may need 0.25 s more; and where a commit of anybody's took longer than that just then, so much longer may
    be what is handled again.
    """
    return [
        f"record {number} was finished {(lost_ns - since_ns) / 1e6:.0f} ms before its worker lost it, and was redone"
        for number, since_ns, lost_ns in redone_beyond_interval(seen)
        if lost_ns - since_ns > _allowed_ns(seen, since_ns, lost_ns)
    ]


def redone_beyond_interval(seen: Evidence) -> list[tuple[int, int, int]]:
    """What was redone though it had been finished for longer than a commit interval: number, finished when, lost when (in ns).

    By a kill, or by a rebalance that took the partition. What was finished later than that was running when it was cut off;
    and a record whose result is not in its topic yet is not finished.
    """
    killed = {attack.pid: attack.at_ns for attack in seen.attacks if attack.fault in KILLS}
    first: dict[tuple[int, int, int], Handling] = {}
    finished = finished_ns(seen)
    found = []
    for handling in seen.handlings:
        before = first.setdefault((handling.number, handling.partition, handling.offset), handling)
        died_ns = killed.get(before.pid)
        if died_ns is None or handling.started_ns < died_ns:  # it was redone before: a rebalance cut it off
            continue
        held = seen.holdings.get((before.pid, before.partition), [(0, NEVER_NS)])
        until_ns = next((until_ns for since_ns, until_ns in held if since_ns <= before.ended_ns <= until_ns), 0)
        since_ns = max(before.ended_ns, finished.get(handling.number, NEVER_NS))
        lost_ns = min(died_ns, until_ns)
        if lost_ns - since_ns > COMMIT_INTERVAL_S * 1e9:
            found.append((handling.number, since_ns, lost_ns))
    return found


def _allowed_ns(seen: Evidence, from_ns: int, until_ns: int) -> int:
    """A commit interval, and what a busy machine or the slowest commit of that time took."""
    taken_ns = [
        trip.answered_ns - trip.sent_ns for trip in seen.trips if trip.answered_ns > from_ns and trip.sent_ns < until_ns
    ]
    return int(COMMIT_INTERVAL_S * 1e9) + max([int(_BUSY_S * 1e9), *taken_ns])


def not_redriven(seen: Evidence, mended: Mended) -> list[str]:
    """I13: once the handler is mended, a redrive leaves no dead letter: each is handled as it was, and none waits."""
    owed, handled = sorted(seen.letters), Counter(mended.handled)
    found = [f"the letter {name} is still open" for name in mended.open]
    found += [f"letter {number} was not redriven" for number in owed if number not in mended.redriven]
    found += [f"letter {number} was redriven, and never handled" for number in owed if not handled[number]]
    found += [
        f"the redriven {number}: {copy.flaw}"
        for number, copies in mended.redriven.items()
        for copy in copies
        if copy.flaw
    ]
    again = sum(len(copies) - 1 for copies in mended.redriven.values())
    if again:
        found.append(
            f"letters were redriven twice, {again} times, though each redrive is one transaction after another"
        )
    if seen.exact:
        found += [f"the redriven {number} is counted {count} times" for number, count in handled.items() if count > 1]
    if mended.letters:
        found.append(f"{mended.letters} of the redriven were dead-lettered again")
    return [*found, f"{mended.waiting} of the redriven still wait"] if mended.waiting else found


INVARIANTS: dict[str, tuple[Callable[[Evidence], list[str]], ...]] = {
    "I1": (lost, blamed, corrupted),
    "I2": (out_of_order,),
    "I3": (counted_twice,),
    "I4": (overruns,),
    "I5": (unbalanced,),
    "I8": (without_result,),
}
"""What every agent of every run is judged by; I6, I7 and those of the workers need more than one agent's evidence."""


def violations(seen: Evidence) -> dict[str, list[str]]:
    """All violations of one agent, by invariant."""
    found = {
        name: [f"{seen.agent}: {text}" for check in checks for text in check(seen)]
        for name, checks in INVARIANTS.items()
    }
    return {name: texts for name, texts in found.items() if texts}
