"""The command line of the harness: picks the area's rows, measures them, prints and writes the results."""

import argparse
import contextlib
import os
import sys
import tempfile
import time

from . import framework, ftp, node, peers, results, web
from .rounds import measure

# The share of the processors' time below which a machine counts as idle, and for how many seconds that is looked at. (A load
# average would still tell of the build just before.)
IDLE, LOOK = 0.05, 2

AREAS = {"framework": framework.rows, "ftp": ftp.rows, "http": web.rows, "node": node.rows, "peers": peers.rows}


def main():
    parser = argparse.ArgumentParser(prog="bench/run")
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()

    options.busy = busy()
    if options.busy > IDLE:
        print(f"This machine is not idle ({options.busy:.0%} used): expect a wide spread.\n", flush=True)

    outcomes, measured = [], {}
    failed = False
    memory = tempfile.TemporaryDirectory(prefix="sockeye-bench-", dir="/dev/shm")
    with going_first(), memory as folder:
        os.chmod(folder, 0o755)  # nginx's worker is another user
        for row in AREAS[options.area](folder):
            if options.only in row.name:
                try:
                    outcomes.append(measure(row, options.rounds, options.seconds, measured))
                except (OSError, RuntimeError) as error:
                    failed = True
                    print(f"  no result: {error}\n", flush=True)
    print("\n".join(results.table(outcomes)))
    if options.area != "peers" and not (options.only or options.dry or failed):
        results.write(options.area, outcomes, options, idle=options.busy <= IDLE)
    return 1 if failed or not outcomes else 0


def busy():
    """The share of all processors' time that others use now."""
    before = processor_ticks()
    time.sleep(LOOK)
    spent = [after - earlier for earlier, after in zip(before, processor_ticks())]
    idle = spent[3] + spent[4]
    return 1 - idle / max(1, sum(spent))


def processor_ticks():
    with open("/proc/stat", encoding="ascii") as stat:
        return [int(field) for field in stat.readline().split()[1:9]]


@contextlib.contextmanager
def going_first():
    """Raises the priority, where that is allowed, of all that is started from here, ours and the peers'
    alike: what else runs on this machine matters less then."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    # With sched_autogroup the kernel compares sessions before it compares processes.
    session_priority("-20")
    try:
        yield
    finally:
        session_priority("0")


def session_priority(nice):
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        group.write(nice)


if __name__ == "__main__":
    sys.exit(main())
