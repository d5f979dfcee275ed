"""`headrace dlq` at a terminal: it asks first, and looks again before it acts."""

import os
import pty
import subprocess
from collections.abc import Callable

import pytest

from schemas.settings import Settings
from tests.support.cli import command, environment, headrace
from tests.support.letters import Dead, Morgue


@pytest.fixture
def morgue(settings: Settings, make_topic: Callable[..., str]) -> Morgue:
    return Morgue(settings, make_topic)


def at_a_terminal(
    settings: Settings, *arguments: str, answer: str, before: Callable[[], object] = lambda: None
) -> tuple[int, str]:
    """The command with a terminal, answered once it asks and `before` was called; and what it printed there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("dlq", *arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(settings, NO_COLOR="1")
    )
    os.close(theirs)
    printed, is_answered = b"", False
    while True:
        if b"[y/N]" in printed and not is_answered:
            before()
            os.write(ours, answer.encode())
            is_answered = True
        try:
            read = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not read:
            break
        printed += read
    os.close(ours)
    return process.wait(60), printed.decode()


def test_at_a_terminal_it_asks_first(morgue: Morgue) -> None:
    morgue.write(Dead(1))
    code, printed = at_a_terminal(morgue.settings, "discard", "--all", answer="n\n")
    assert (code, morgue.states()) == (1, {})
    assert "Discard 1 letter? [y/N]" in printed
    code, printed = at_a_terminal(morgue.settings, "redrive", "--all", answer="y\n")
    assert code == 0, printed
    assert "Send 1 letter again? [y/N]" in printed
    assert "1 letter sent again" in printed
    assert len(morgue.read("text.retry.0s")) == 1


def test_what_somebody_else_redrives_while_the_question_waits_is_not_sent_again(morgue: Morgue) -> None:
    morgue.write(Dead(1), Dead(2))

    def meanwhile() -> None:
        assert headrace(morgue.settings, "dlq", "redrive", "text/texts.posted/0/1", "--yes").returncode == 0

    code, printed = at_a_terminal(morgue.settings, "redrive", "--all", answer="y\n", before=meanwhile)
    assert code == 0, printed
    assert "left out: 1 letter dealt with by somebody else meanwhile" in printed
    assert sorted(dict(m.headers() or [])["headrace-origin-offset"] for m in morgue.read("text.retry.0s")) == [
        b"1",
        b"2",
    ]
