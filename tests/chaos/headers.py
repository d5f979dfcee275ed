"""The header that tells a record's number, which undecodable bytes cannot."""

from collections.abc import Mapping

NUMBER = "chaos-number"


def number_of(headers: Mapping[str, bytes]) -> int:
    """The record's number."""
    return int(headers[NUMBER])
