"""A handler whose process dies when values are decoded together, as of a fault in native code; decoded alone they are harmless."""

import ctypes

import schemas.typed
from tests.support.shop import handlers

confirm = handlers.confirm


def _die(*_):
    ctypes.string_at(0)


schemas.typed.decode_typed = _die
