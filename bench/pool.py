"""`python -m bench.pool images|text COUNT`: a bare pool that calls the agent's handler on the same events, without Kafka.

As many threads, or processes, as the agent has: two.
"""

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from bench import handlers, inputs
from consumers import text
from consumers.context import Context, Resources
from schemas.records import TextAnalyzed, TextPosted

_WIDTH = 2
_TEXTS_AT_ONCE = 100
"""By one message to a child: one by one the pool itself would be half of the work."""


def main() -> None:
    """Work on all of them, then wait for SIGTERM, so that the last counts are written down."""
    way, count = {"images": _images, "text": _texts}[sys.argv[1]], int(sys.argv[2])
    way(count)


def _images(count: int) -> None:
    context = _context()
    uploads = list(inputs.uploads(count))
    with ThreadPoolExecutor(_WIDTH) as pool:
        for _ in pool.map(lambda upload: handlers.process_image(upload, context), uploads):
            pass
        signal.pause()


def _texts(count: int) -> None:
    posts = list(inputs.posts(count))
    with ProcessPoolExecutor(_WIDTH, mp_context=get_context("spawn"), initializer=text.warm) as pool:
        for _ in pool.map(_analyze, posts, chunksize=_TEXTS_AT_ONCE):
            pass
        signal.pause()


def _analyze(post: TextPosted) -> TextAnalyzed:
    return handlers.analyze_text(post, _context())


def _context() -> Context:
    return Context(resources=Resources(os.environ["HEADRACE_STORE_URL"]))


if __name__ == "__main__":
    main()
