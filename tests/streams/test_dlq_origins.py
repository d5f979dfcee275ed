"""What an agent has given up on, as a replay of windows asks."""

from collections.abc import Callable
from contextlib import closing

from schemas.settings import Settings
from streams.dead_letters.origins import GivenUp, Origin
from tests.support.letters import NOW_MS, Dead, Morgue


def test_letters_are_known_once_it_has_caught_up_and_those_of_other_topics_never(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    morgue = Morgue(settings, make_topic)
    morgue.write(Dead(1), Dead(2, topic="images.uploaded"))
    first, other, second = (Origin(0, offset, NOW_MS - 10) for offset in (1, 2, 3))
    with closing(GivenUp(settings, "text", "texts.posted")) as given_up:
        given_up.catch_up()
        morgue.write(Dead(3))
        assert [each in given_up for each in (first, other, second)] == [True, False, False]
        given_up.catch_up()
        assert [each in given_up for each in (first, other, second)] == [True, False, True]
        assert first._replace(timestamp_ms=NOW_MS) not in given_up  # of a topic that was made again
