"""Messages and progress: on stderr only, animated only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Print one line for the person in front of it."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(name: str, total_bytes: int | None) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on a terminal, nothing elsewhere; yields the function that advances it by so many bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=total_bytes)
        yield lambda count: bar.update(task, advance=count)
