"""Converting to a class for the first time, from many threads at once."""

import subprocess
import sys

_CRASHES_MSGSPEC = """
import sys, threading, types
sys.setswitchinterval(1e-6)

FIELDS = "".join(f"    f{n}: Annotated[int, msgspec.Meta(ge=0)] = 0\\n" for n in range(10))
HEAD = "import msgspec\\nfrom typing import Annotated\\n"


def fresh(number):
    module = types.ModuleType(f"records{number}")
    sys.modules[module.__name__] = module
    links = ["", *(f"    inner: 'list[Level{level - 1}]' = []\\n" for level in range(1, 6))]
    exec(HEAD + "".join(f"class Level{n}(msgspec.Struct):\\n{FIELDS}{link}" for n, link in enumerate(links)), vars(module))
    return module.Level5


def convert_in_threads(convert, kind):
    value = {"f0": 1, "inner": [{"f1": 2, "inner": [{"f2": 3, "inner": []}]}]}
    together, done = threading.Barrier(16), []

    def run():
        together.wait()
        done.append(convert(value, kind).inner[0].inner[0].f2)

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [3] * 16


from schemas.conversion import convert
for number in range(40):
    convert_in_threads(convert, fresh(number))
print("lived")
"""


def test_a_class_that_many_threads_meet_at_once_crashes_nobody():
    """With msgspec's own `convert` this script ended by SIGSEGV in three of three runs."""
    done = subprocess.run(
        [sys.executable, "-c", _CRASHES_MSGSPEC], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "lived\n"), done.stderr
