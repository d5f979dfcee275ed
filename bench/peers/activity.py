"""The Kafka peers' event: Avro after the ten bytes of a single-object header, decoded by fastavro, times as integers."""

import io
import json
import os
from typing import Any

import fastavro

BODY = 10
SCHEMA = fastavro.parse_schema(json.loads(os.environ["BENCH_SCHEMA"]))
FETCHING = json.loads(os.environ["BENCH_FETCHING"])
"""Headrace's librdkafka settings, for the peers that stand on it too."""


def decoded(value: bytes) -> Any:
    """The event in a record's value."""
    return fastavro.schemaless_reader(io.BytesIO(value[BODY:]), SCHEMA, None)
