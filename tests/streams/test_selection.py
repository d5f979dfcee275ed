import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.agent import Agent
from schemas.errors import ConfigurationError
from streams.selection import chosen, parse_changes

NAMES = ("images", "text", "analytics")
AGENTS = tuple(Agent(name=name, topics=("t",), handler="m:f", concurrency=2) for name in NAMES)

some = st.lists(st.sampled_from(NAMES), unique=True)
widths = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 64))


@given(wanted=some)
def test_the_wanted_agents_run_in_the_order_of_the_catalogue_and_all_where_none_is_named(wanted):
    assert [agent.name for agent in chosen(AGENTS, wanted, {})] == [n for n in NAMES if n in wanted or not wanted]


@given(wanted=some, concurrency=widths)
def test_concurrency_changes_the_named_agents_and_nothing_else(wanted, concurrency):
    for agent in chosen(AGENTS, wanted, {name: {"concurrency": width} for name, width in concurrency.items()}):
        assert agent.concurrency == concurrency.get(agent.name, 2)
        (former,) = (other for other in AGENTS if other.name == agent.name)
        assert (agent.topics, agent.handler, agent.executor) == (former.topics, former.handler, former.executor)


@given(concurrency=st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), st.integers(0, 10_000)))
def test_what_is_written_as_agent_number_is_read_back(concurrency):
    found = parse_changes(concurrency=", ".join(f"{name}={number}" for name, number in concurrency.items()))
    assert found == {name: {"concurrency": number} for name, number in concurrency.items()}


def test_reset_names_the_policy_of_an_agent_beside_its_concurrency():
    found = parse_changes(concurrency="text=3", reset="text=earliest,images=latest")
    assert found == {"text": {"concurrency": 3, "reset": "earliest"}, "images": {"reset": "latest"}}
    assert [agent.reset for agent in chosen(AGENTS, [], found)] == ["latest", "earliest", "stop"]


def test_a_policy_that_there_is_not_is_named():
    with pytest.raises(ConfigurationError, match="--reset images=newest: agent=stop, earliest or latest is needed"):
        parse_changes(reset="images=newest")


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_no_concurrency_overrides_nothing(text):
    assert parse_changes(concurrency=text) == {}


@pytest.mark.parametrize("text", ["images", "images=", "images=four", "images=-1", "images=1.5", "images:4"])
def test_a_part_that_is_not_agent_number_is_named(text):
    with pytest.raises(ConfigurationError, match="agent=number is needed") as caught:
        parse_changes(concurrency=f"text=1,{text}")
    assert len(caught.value.problems) == 1
    assert text.partition("=")[0] in caught.value.problems[0]


def test_every_problem_is_told_at_once():
    with pytest.raises(ConfigurationError) as caught:
        chosen(AGENTS, ["text", "videos"], {"sounds": {"concurrency": 3}, "text": {"concurrency": 0}})
    assert caught.value.problems == [
        "there is no agent 'sounds'; the catalogue has images, text, analytics",
        "there is no agent 'videos'; the catalogue has images, text, analytics",
        "agent 'text': concurrency must be at least 1",
    ]


def test_the_fault_of_an_agent_that_is_not_wanted_stops_nobody():
    faulty = Agent(name="faulty", topics=(), handler="nothing")
    assert [agent.name for agent in chosen((*AGENTS, faulty), ["text"], {})] == ["text"]
