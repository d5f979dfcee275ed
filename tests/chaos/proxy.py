"""A TCP proxy between workers and brokers, a process of its own: `python -m tests.chaos.proxy 15001:9092 …`.

It stands at the address that the brokers' second listener advertises, so that a client which has asked for metadata
still goes through it. Orders come line by line on stdin: `cut`, `heal`, `latency SECONDS`; it ends with its stdin.
"""

import asyncio
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.workers import ROOT

_CHUNK_BYTES = 64 * 1024


@dataclass(slots=True)
class Weather:
    """What the network is like now."""

    cut: bool = False
    latency_s: float = 0.0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    def obey(self, order: str) -> None:
        """Change it; a cut ends what is open, and lets nothing new in."""
        name, _, detail = order.strip().partition(" ")
        if name == "latency":
            self.latency_s = float(detail)
        elif name in {"cut", "heal"}:
            self.cut = name == "cut"
            for writer in list(self.open) if self.cut else ():
                writer.transport.abort()


class ProxyProcess:
    """The proxy as its starter sees it.

    Args:
        pairs: (the advertised port, the broker's port) for each broker.
    """

    def __init__(self, pairs: list[tuple[int, int]]) -> None:
        self.servers = ",".join(f"127.0.0.1:{front}" for front, _ in pairs)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.proxy", *(f"{front}:{back}" for front, back in pairs)],
            stdin=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )

    def order(self, words: str) -> None:
        """Send an order."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{words}\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, weather: Weather) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK_BYTES):
            if weather.latency_s:
                await asyncio.sleep(weather.latency_s)
            target.write(data)
            await target.drain()
    target.transport.abort()


async def _serve(front: int, back: int, weather: Weather) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if weather.cut:
            writer.transport.abort()
            return
        try:
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", back)
        except OSError:
            writer.transport.abort()
            return
        weather.open |= {writer, their_writer}
        await asyncio.gather(_pump(reader, their_writer, weather), _pump(their_reader, writer, weather))
        weather.open -= {writer, their_writer}

    server = await asyncio.start_server(meet, "127.0.0.1", front)
    async with server:
        await server.serve_forever()


async def _main(pairs: list[tuple[int, int]]) -> None:
    weather, loop = Weather(), asyncio.get_running_loop()
    servers = [asyncio.create_task(_serve(front, back, weather)) for front, back in pairs]
    ended = asyncio.Event()

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(weather.obey, line)
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=listen, daemon=True).start()
    await ended.wait()
    for server in servers:
        server.cancel()


if __name__ == "__main__":
    asyncio.run(_main([(int(front), int(back)) for front, _, back in (pair.partition(":") for pair in sys.argv[1:])]))
