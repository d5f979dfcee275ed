"""The task queues' events: the same fields, as the JSON that their own clients write."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def events() -> Iterator[dict[str, Any]]:
    """The events to publish, in order."""
    with (Path(os.environ["BENCH_FOLDER"]) / "events.jsonl").open() as lines:
        for line in lines:
            yield json.loads(line)
