"""Stacks of our own, for the tests that stop, break and wipe them."""

from collections.abc import Iterator

import pytest

import devstack
from devstack import Stack
from tests.support.broker import scratch_folder


@pytest.fixture(scope="session")
def _own_stack() -> Iterator[Stack]:
    with scratch_folder() as folder:
        yield devstack.up(port=0, data=folder)


@pytest.fixture
def stack(_own_stack: Stack) -> Stack:
    """A stack of one broker, up, of which the test may do what it likes."""
    return devstack.up(data=_own_stack.data)


@pytest.fixture(scope="session")
def _own_stack_with_registry() -> Iterator[Stack]:
    with scratch_folder() as folder:
        yield devstack.up(registry=True, port=0, data=folder)


@pytest.fixture
def stack_with_registry(_own_stack_with_registry: Stack) -> Stack:
    """The same with a registry, which takes four seconds more to start."""
    return devstack.up(data=_own_stack_with_registry.data)
