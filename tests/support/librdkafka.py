"""librdkafka's own means of testing, which confluent-kafka does not offer."""

import ctypes
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError

MOCK = {"test.mock.num.brokers": "1"}
"""Properties of a client that makes itself a broker, which answers as it is told."""
_PRODUCE = 0


def make_fatal(client: Any) -> None:
    """Let a producer meet a fatal error."""
    _library().rd_kafka_test_fatal_error(_handle(client), KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, b"made by a test")


def answer_batches(client: Any, *codes: int) -> None:
    """Let the client's mock broker answer its next batches with these errors."""
    library = _library()
    library.rd_kafka_handle_mock_cluster.restype = ctypes.c_void_p
    cluster = ctypes.c_void_p(library.rd_kafka_handle_mock_cluster(_handle(client)))
    errors = (ctypes.c_int * len(codes))(*codes)
    library.rd_kafka_mock_push_request_errors_array(
        cluster, ctypes.c_int16(_PRODUCE), ctypes.c_size_t(len(codes)), errors
    )


def _library() -> ctypes.CDLL:
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    return ctypes.CDLL(str(next(folder.glob("librdkafka-*.so*"))))


def _handle(client: Any) -> ctypes.c_void_p:
    """The client's handle is the first member of confluent-kafka's object."""
    return ctypes.c_void_p.from_address(id(client) + object.__basicsize__)
