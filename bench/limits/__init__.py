"""Latency, start, memory and rebalance: `python -m bench.limits`."""
