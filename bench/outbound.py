"""``python -m bench.outbound --rows 10000``: changed people pushed to their leads, and pushed again through a kill.

The floor is the same rows read and written by bare calls of the gateway: 2,000 ids a read, 200 records a write.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from bench.services import running_services, running_worker, start_worker
from emulator.control import EmulatorControl

READS, WRITES = "/composite/sobjects/Lead", "/composite/sobjects"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.outbound", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        services = stack.enter_context(running_services())
        _measure(services.emulator, options.rows)
    return 0


def _measure(emulator: EmulatorControl, rows: int) -> None:
    from bench.outbound_work import Outbound

    org = emulator.create_org(name="Outbound")
    emulator.seed(org["id"], leads=rows)
    with running_worker("bulk"):
        work = Outbound(emulator, org["id"])
    changed = work.change("First")
    emulator.clear_calls()
    with running_worker("routine"):
        began = time.monotonic()
        work.begin()
        work.wait()
        seconds = time.monotonic() - began
    calls = emulator.calls(WRITES, org["id"])
    reads = sum(call["method"] == "POST" and call["path"].endswith(READS) for call in calls)
    writes = sum(call["method"] == "PATCH" for call in calls)
    print(f"pushed             {changed / seconds:>8,.0f} rows/s   {seconds:6.1f} s   {reads} reads, {writes} writes")
    floor = work.bare("Bare")
    print(f"floor: bare calls  {changed / floor:>8,.0f} rows/s   {floor:6.1f} s   ratio {floor / seconds:.2f}")
    changed = work.change("Second")
    worker = start_worker("routine")
    began = time.monotonic()
    work.begin()
    work.wait(at_most=changed // 2)
    worker.kill()
    worker.wait()
    killed = time.monotonic()
    with running_worker("routine"):
        work.wait(ticking=True)
    again = time.monotonic() - killed
    wrong = work.differing("Second")
    print(f"killed half way    {killed - began:6.1f} s, then {again:.1f} s to the end   {wrong} of {changed:,} differ")


if __name__ == "__main__":
    sys.exit(main())
