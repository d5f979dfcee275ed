"""Headrace's own contestant: a catalogue of one agent, at the catalogue's defaults."""

from bench.loss.peers.shared import handle
from bench.loss.records import ItemPosted
from consumers.context import Context
from consumers.runtime.agent import Agent
from schemas.topics import Topic

SCHEMAS = "schemas"
TOPICS = (Topic(name="items", record="bench.ItemPosted", key_field="item_id"),)


def work(item: ItemPosted, context: Context) -> None:  # noqa: ARG001  the contract's second argument
    """Handle one id."""
    handle(item.item_id, item.kind)


AGENTS = (Agent(name="bench", topics=("items",), handler="bench.loss.agents:work"),)
