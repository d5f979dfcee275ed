"""Whether a broker is there, in one clear error."""

import pytest

from producers.kafka import BrokerUnreachableError, check_broker
from schemas.errors import ConfigurationError, UnreachableError
from schemas.settings import Settings


def test_a_broker_that_answers_is_no_error(settings: Settings) -> None:
    check_broker(settings, 10.0)


def test_a_port_where_nobody_listens_is_named_with_reason_and_remedy() -> None:
    with pytest.raises(BrokerUnreachableError) as caught:
        check_broker(Settings(bootstrap_servers="127.0.0.1:1"), 0.5)
    assert isinstance(caught.value, UnreachableError)
    assert caught.value.exit_code == 3
    text = str(caught.value)
    assert text.startswith("no Kafka broker answers at 127.0.0.1:1 (")
    assert "Connection refused" in text
    assert "make stack" in text
    assert "KAFKA_BOOTSTRAP_SERVERS" in text


def test_a_misspelt_property_is_a_fault_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match=r"security\.protokol"):
        check_broker(Settings(kafka={"security.protokol": "SSL"}), 0.5)
