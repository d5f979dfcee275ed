"""What the environment may say of an agent's consumer, and what not."""

import pytest

from consumers.runtime.group import check_promises
from schemas.errors import ConfigurationError
from schemas.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auto.offset.reset", "latest"),
        ("enable.auto.commit", "true"),
        ("enable.auto.offset.store", "true"),
        ("enable.partition.eof", "false"),
        ("isolation.level", "read_uncommitted"),
        ("group.id", "mine"),
        ("group.protocol", "classic"),
    ],
)
def test_the_environment_cannot_give_up_what_delivery_stands_on(name, value):
    with pytest.raises(ConfigurationError, match="unset it") as caught:
        check_promises(Settings(kafka={name: value}))
    assert f"KAFKA_{name.upper().replace('.', '_')}={value}" in str(caught.value)


def test_what_costs_no_promise_is_passed_through():
    check_promises(
        Settings(kafka={"fetch.min.bytes": "1", "auto.offset.reset": "error", "enable.auto.commit": "False"})
    )
