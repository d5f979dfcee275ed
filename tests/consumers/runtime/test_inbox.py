"""How large the next batch may be."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.inbox import next_batch
from consumers.runtime.record import HELD, Failed, Handled
from tests.support.shop import agents as shop

MOST = 64
UNDECODABLE = Failed(kind="undecodable", error_class="DecodeError", message="it is cut off")


def outcomes_of(records):
    """What an exact agent says of a batch: it stops before the first that cannot be decoded."""
    good = next((index for index, is_good in enumerate(records) if not is_good), len(records))
    return [Handled()] * good + [UNDECODABLE, *[HELD] * (len(records) - good - 1)][: len(records) - good]


@given(st.lists(st.booleans(), max_size=300))
def test_an_exact_agent_decodes_no_record_of_a_flood_often(records):
    agent = shop.agent("counting", **{**shop.EXACT, "batch_records": MOST})
    limit, at, decoded = MOST, 0, 0
    while at < len(records):
        outcomes = outcomes_of(records[at : at + limit])
        decoded += len(outcomes)
        at += sum(outcome is not HELD for outcome in outcomes)
        limit = next_batch(agent, limit, outcomes)
        assert 1 <= limit <= MOST
    assert decoded <= MOST + 2 * len(records)


def test_another_agent_handles_what_lies_behind_and_its_batches_grow():
    agent = shop.agent("all", batch_records=MOST)
    assert next_batch(agent, 4, [UNDECODABLE, Handled()]) == 8
    assert next_batch(agent, MOST, [Handled()] * MOST) == MOST
