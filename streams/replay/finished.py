"""What a replay comes to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a replay.

    Attributes:
        said: where its results are, and what else there is to know.
        failures: records that were dead-lettered.
        lost: offsets that retention took before they were read.
    """

    said: str
    failures: int = 0
    lost: int = 0
