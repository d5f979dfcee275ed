"""How events are worked on: handlers, the catalogue of agents, and the delivery machinery in runtime/."""
