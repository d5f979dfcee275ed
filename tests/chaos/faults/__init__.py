"""Every fault by its name on the command line. A new one is a file here and a line below."""

from tests.chaos.faults import (
    broker,
    disk,
    kill,
    kill_at_letters,
    leader,
    letters,
    network,
    of_the_load,
    recreate,
    retention,
    spare,
    stop,
    storm,
    term,
)
from tests.chaos.faults.fault import Fault

__all__ = ["FAULTS", "Fault"]

FAULTS = {
    "kill": kill.FAULT,
    "kill-at-letters": kill_at_letters.FAULT,
    "poison": of_the_load.POISON,
    "errors": of_the_load.ERRORS,
    "term": term.FAULT,
    "stop": stop.FAULT,
    "hang": of_the_load.HANG,
    "storm": storm.FAULT,
    "broker": broker.FAULT,
    "spare": spare.FAULT,
    "slow": of_the_load.SLOW,
    "segfault": of_the_load.SEGFAULT,
    "network": network.FAULT,
    "leader": leader.FAULT,
    "disk": disk.DISK,
    "store": disk.STORE,
    "unordered": of_the_load.UNORDERED,
    "oversize": of_the_load.OVERSIZE,
    "letters": letters.FAULT,
    "recreate": recreate.FAULT,
    "retention": retention.FAULT,
    "memory": of_the_load.MEMORY,
    "sluggish": of_the_load.SLUGGISH,
}
