"""What librdkafka repeats several times a second is said once a minute."""

import logging

import pytest
from confluent_kafka import KafkaError

from producers.client_log import ClientLog, without_detail


def test_the_same_error_is_said_once_a_minute_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = [100.0]
    log = ClientLog("c", now_s=lambda: now_s[0])
    refused = KafkaError(KafkaError._TRANSPORT, "refused")
    for _ in range(5):
        log.error(refused)
    log.error(KafkaError(KafkaError._SSL, "bad certificate"))
    now_s[0] += 60.0
    log.error(refused)
    assert [record.getMessage() for record in caplog.records] == [
        "c: _TRANSPORT: refused",
        "c: _SSL: bad certificate",
        "c: _TRANSPORT: refused (and 4 more of this kind since it was last said)",
    ]


def test_librdkafka_s_own_lines_are_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="headrace.kafka")
    ClientLog("c").log(logging.ERROR, "FAIL [%s] %s", "thread", "a % sign")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.DEBUG, "c: FAIL [thread] a % sign")
    ]


def test_the_state_of_the_connection_is_left_out() -> None:
    assert without_detail("Connect failed: refused (after 0ms in state CONNECT)") == "Connect failed: refused"
    assert without_detail("Connect failed (IPv6)") == "Connect failed (IPv6)"
