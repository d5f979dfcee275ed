"""When an agent waits for a dependency, and when a record is at fault itself."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.circuit import Circuits


def place(number):
    return "orders.placed", 0, number


def opened(count=5):
    circuits = Circuits()
    for number in range(count):
        circuits.failed("smtp", place(number), now_s=0.0)
    return circuits


def test_it_opens_after_five_failures_of_at_least_three_records():
    assert opened(4).open == {}
    assert set(opened(5).open) == {"smtp"}


@given(st.integers(5, 200), st.integers(1, 2))
def test_one_or_two_records_alone_never_open_it(failures, records):
    circuits = Circuits()
    for number in range(failures):
        circuits.failed("smtp", place(number % records), now_s=0.0)
    assert circuits.open == {}


def test_for_batches_one_that_fails_again_and_again_is_enough():
    circuits = Circuits(batches=True)
    for _ in range(5):
        assert not circuits.failed("database", place(0), now_s=0.0)
    assert set(circuits.open) == {"database"}


def test_while_it_is_open_one_record_at_a_time_is_tried_ever_more_seldom_up_to_30_s():
    circuits, now_s, waits = opened(), 0.0, []
    for number in range(8):
        assert circuits.allowance(now_s) == 0
        begun_s = now_s
        while circuits.allowance(now_s) == 0:
            now_s += 0.5
        assert circuits.allowance(now_s) == 1
        waits.append(now_s - begun_s)
        circuits.probing(now_s)
        assert circuits.allowance(now_s) == 0, "one probe at a time"
        circuits.failed("smtp", place(10 + number), now_s)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert circuits.open["smtp"].probes == 8


def test_what_was_on_its_way_when_it_opened_delays_no_probe():
    circuits = opened()
    for number in range(100):
        circuits.failed("smtp", place(number), now_s=0.1)
    assert circuits.allowance(1.0) == 1


def test_a_record_that_passes_closes_it():
    circuits = opened()
    circuits.passed(lambda: [place(7)], 1)
    assert circuits.open == {}
    assert circuits.allowance(0.0) is None


def test_after_a_probe_with_a_failure_of_its_own_the_next_one_may_follow():
    circuits = opened()
    circuits.probing(2.0)
    assert circuits.allowance(3.0) == 0
    circuits.forget(place(0))
    assert circuits.allowance(3.0) == 1


def test_after_a_probe_that_tells_nothing_the_next_one_may_follow():
    circuits = opened()
    circuits.probing(2.0)
    circuits.unanswered()
    assert circuits.allowance(3.0) == 1


def test_a_probe_that_never_comes_back_does_not_stop_the_probing():
    circuits = opened()
    circuits.probing(2.0)
    assert circuits.allowance(30.0) == 0
    assert circuits.allowance(90.0) == 1


def test_a_record_that_fails_again_and_again_while_others_pass_is_at_fault_itself():
    circuits = Circuits()
    verdicts = []
    for round_ in range(4):
        verdicts.append(circuits.failed("smtp", place(0), now_s=float(round_)))
        circuits.passed(lambda number=round_: [place(100 + number)], 1)
    assert verdicts == [False, False, True, True]


def test_in_an_outage_nobody_is_at_fault():
    circuits = Circuits()
    circuits.passed(list, 1000)
    for round_ in range(5):
        for number in range(10):
            assert not circuits.failed("smtp", place(number), now_s=float(round_))
