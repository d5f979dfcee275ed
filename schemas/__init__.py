"""What travels: one .avsc a record, the typed records made from them, the codec, and the catalogue of topics.

    from schemas import TextPosted, Codec, SchemaSet

Each name is imported when it is first asked for: a service that only publishes texts pays for no more than that.
"""

import importlib
from typing import Any

_HOMES = {
    "schemas.catalogue": ("Catalogue", "load_catalogue"),
    "schemas.codec": ("Codec",),
    "schemas.errors": ("ConfigurationError", "DecodeError", "HeadraceError", "InvalidEventError"),
    "schemas.event": ("Event",),
    "schemas.records": (
        "ActivityRecorded", "ActivityRolledUp", "ImageProcessed", "ImageUploaded", "TextAnalyzed", "TextPosted",
    ),
    "schemas.schema_set": ("SchemaSet",),
    "schemas.settings": ("Settings",),
    "schemas.topics": ("Topic",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  a list of names, made from the table above


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
