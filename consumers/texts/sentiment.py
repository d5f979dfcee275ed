"""How positive an English text is, by VADER (Hutto and Gilbert, 2014)."""

from functools import cache
from typing import Any

from schemas.errors import MissingExtraError

_PIECE_CHARACTERS = 400
_PIECES = 20
"""Of a text of emoji, which VADER turns into words, so many pieces take about a second."""


def score(text: str) -> float:
    """VADER's compound score of an English text, -1 to 1, four digits.

    VADER is made for a post, and takes time quadratic in the words: a text above 400 characters is scored in pieces, at most 20
    at even distances, and their mean is taken.

    Raises:
        MissingExtraError: if vaderSentiment is not installed.
    """
    pieces = _pieces(text)
    if not pieces:
        return 0.0
    analyzer = _analyzer()
    total = sum(float(analyzer.polarity_scores(piece)["compound"]) for piece in pieces)
    return round(total / len(pieces), 4)


def warm() -> None:
    """Load the lexicon now (about a tenth of a second) rather than at the first text."""
    _analyzer()


def _pieces(text: str) -> list[str]:
    starts = range(0, len(text), _PIECE_CHARACTERS)
    step = -(-len(starts) // _PIECES) if starts else 1
    pieces = (text[start : start + _PIECE_CHARACTERS] for start in starts[::step])
    return [piece for piece in pieces if not piece.isspace()]


@cache
def _analyzer() -> Any:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as error:
        raise MissingExtraError("text", "vaderSentiment") from error
    return SentimentIntensityAnalyzer()
