"""What the generated encoders are made of: Avro's whole numbers as ready bytes, and the list of the encoders.

An encoder takes values of exactly the types that the record's class names, and raises for all others: whoever calls it then
goes the slow way (`schemas.codec`), which knows what else may stand for them and names the field that is wrong. So an encoder
decides nothing, and its errors say nothing. What it saves is in docs/performance.md.
"""

import struct
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

Encoder = Callable[[Any, bytes], bytes]
"""Gives the prefix and the record's body behind it."""

UNFIT = (AttributeError, LookupError, OverflowError, TypeError, ValueError, struct.error)
"""What an encoder raises where a value is not of its field's own type."""

SMALL = 1 << 13
"""Numbers below it are zig-zag varints of one or two bytes (Avro 1.12, "Binary Encoding")."""
_MORE = [bytes((n | 0x80,)) for n in range(1 << 7)]
_LAST = [bytes((n,)) for n in range(1 << 7)]
INTS = _LAST[::2] + [first + last for last in _LAST[1:] for first in _MORE[::2]]
"""The varints of 0 to SMALL - 1."""
LOW = [first + second for second in _MORE for first in _MORE[::2]]
"""A varint's first two bytes, of a number's lowest 13 bits, where more bytes follow."""
MIDDLE = [first + second for second in _MORE for first in _MORE]
"""A varint's next two bytes, of 14 bits, where more bytes follow."""
HIGH: dict[int, bytes] = {}
"""A varint's last bytes, of a number's bits from the 27th on. Of microseconds they change every 134 seconds."""

BOOLEANS = (b"\x00", b"\x01")
SEQUENCES: tuple[type, ...] = (tuple, list)
"""What may stand for an array as it is."""
MAPPINGS: tuple[type, ...] = (dict,)

_MOST_HIGH = 4_096
_INT_MAX, _LONG_MAX = 2**31 - 1, 2**63 - 1

float_bytes = struct.Struct("<f").pack
double_bytes = struct.Struct("<d").pack
join = b"".join

_F = TypeVar("_F", bound=Encoder)
_encoders: dict[tuple[type, str], Encoder] = {}


def encodes(kind: type, fingerprint: str) -> Callable[[_F], _F]:
    """Enter an encoder of a class's records as the schema of this fingerprint (hexadecimal) writes them."""

    def enter(encoder: _F) -> _F:
        _encoders[kind, fingerprint] = encoder
        return encoder

    return enter


def encoder_of(kind: type, fingerprint: bytes) -> Encoder | None:
    """The encoder of a class's records; None where there is none, or the schema of that fingerprint is another one."""
    return _encoders.get((kind, fingerprint.hex()))


def refuse() -> NoReturn:
    """Leave a value to the codec.

    Raises:
        TypeError: always.
    """
    raise TypeError


def integer(number: int) -> bytes:
    """An Avro int.

    Raises:
        OverflowError: if it takes more than 32 bits.
        TypeError: if it is no int; a bool is none.
    """
    if type(number) is not int:
        refuse()
    if not -_INT_MAX - 1 <= number <= _INT_MAX:
        raise OverflowError
    return _varint(number << 1 ^ number >> 31)


def long(number: int) -> bytes:
    """An Avro long.

    Raises:
        OverflowError: if it takes more than 64 bits.
        TypeError: if it is no int; a bool is none.
    """
    if type(number) is not int:
        refuse()
    if not -_LONG_MAX - 1 <= number <= _LONG_MAX:
        raise OverflowError
    if number >= 1 << 27:
        return LOW[number & 0x1FFF] + MIDDLE[number >> 13 & 0x3FFF] + (HIGH.get(number >> 27) or high(number >> 27))
    return _varint(number << 1 ^ number >> 63)


def high(bits: int) -> bytes:
    """The last bytes of a long's varint, of its bits from the 27th on; kept in HIGH.

    Raises:
        OverflowError: if the number was below 2**27, where a varint ends earlier, or beyond 64 bits.
    """
    if not 0 < bits <= _LONG_MAX >> 27:
        raise OverflowError
    if len(HIGH) >= _MOST_HIGH:
        HIGH.clear()
    found = HIGH[bits] = _varint(bits)
    return found


def _varint(zigzag: int) -> bytes:
    found = bytearray()
    while zigzag > 0x7F:
        found.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    found.append(zigzag)
    return bytes(found)
