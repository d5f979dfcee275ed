"""The two wire formats: what stands before an Avro body and says which schema wrote it.

Confluent's: 0x00, the registry's schema id in 4 bytes, big-endian (Confluent, "Wire format").
Single-object encoding: C3 01, the CRC-64-AVRO fingerprint in 8 bytes, little-endian (Avro 1.12, "Single-object encoding").
"""

import struct

CONFLUENT = b"\x00"
SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT_BYTES = 5
SINGLE_OBJECT_BYTES = 10


def confluent_prefix(schema_id: int) -> bytes:
    """What stands before a body whose schema the registry knows by this id."""
    return struct.pack(">bI", 0, schema_id)


def single_object_prefix(fingerprint: bytes) -> bytes:
    """What stands before a body whose schema has this fingerprint (8 bytes, little-endian)."""
    return SINGLE_OBJECT + fingerprint


def prefix_of(value: bytes) -> bytes:
    """The bytes before the body, which tell the schema; empty when the value has neither format."""
    if value[:1] == CONFLUENT and len(value) >= CONFLUENT_BYTES:
        return value[:CONFLUENT_BYTES]
    if value[:2] == SINGLE_OBJECT and len(value) >= SINGLE_OBJECT_BYTES:
        return value[:SINGLE_OBJECT_BYTES]
    return b""


def schema_id_of(prefix: bytes) -> int | None:
    """The registry's schema id; None for a single-object prefix."""
    return int.from_bytes(prefix[1:], "big") if prefix[:1] == CONFLUENT else None


def fingerprint_of(prefix: bytes) -> bytes:
    """The fingerprint in a single-object prefix."""
    return prefix[2:]
