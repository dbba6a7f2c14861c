"""``python -m bench.differential``: what a differential sync costs.

Prints, for the profile of a new connection (seven sObjects): API calls and CPU of an idle sync; how many idle
connections one worker process keeps on an hourly schedule, by letting it sync many tenants at once; and the calls that
find and read 2,000 changed leads. The floor is the bare HTTP exchange of the same two calls.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from bench.services import running_services, running_worker
from emulator.control import EmulatorControl

DATA = "/services/data/"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.differential", description=__doc__)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--idle", type=int, default=100)
    options = parser.parse_args()
    with ExitStack() as stack:
        services = stack.enter_context(running_services())
        _idle(services.emulator, options.idle)
        _changed(services.emulator)
        _many(services.emulator, options.tenants)
    return 0


def _idle(emulator: EmulatorControl, count: int) -> None:
    from bench.differential_work import Idle

    org = emulator.create_org(name="Idle")
    emulator.seed(org["id"], accounts=20, contacts=50, leads=100, opportunities=20)
    work = Idle(emulator, org["id"])
    emulator.clear_calls()
    cpu, wall = work.syncs(count)
    calls = len(emulator.calls(DATA, org["id"])) / count
    exchange = work.bare(count)
    print(f"idle sync          {cpu * 1000:>8.1f} ms CPU   {wall * 1000:6.1f} ms   {calls:.1f} API calls")
    print(f"floor: two calls   {exchange * 1000:>8.1f} ms CPU   ratio {exchange / cpu:.2f}")


def _changed(emulator: EmulatorControl) -> None:
    from bench.differential_work import Idle

    org = emulator.create_org(name="Changed")
    work = Idle(emulator, org["id"])
    emulator.seed(org["id"], leads=2_000)
    work.forget_watermarks()
    emulator.clear_calls()
    began = time.monotonic()
    work.sync()
    seconds = time.monotonic() - began
    calls = len(emulator.calls(DATA, org["id"]))
    print(f"2,000 changed      {2_000 / seconds:>8,.0f} rows/s   {seconds:6.1f} s   {calls} API calls")


def _many(emulator: EmulatorControl, tenants: int) -> None:
    from bench.differential_work import Many

    work = Many(emulator, tenants)
    with running_worker("routine") as worker:
        work.round()  # the worker's first syncs load its modules
        seconds, cpu = work.round(worker.pid)
    rate = tenants / seconds
    print(
        f"one worker         {rate:>8.1f} syncs/s   {cpu / tenants * 1000:6.1f} ms CPU each   "
        f"{rate * 3600:,.0f} idle connections an hour (10,000 need 2.8 syncs/s)"
    )


if __name__ == "__main__":
    sys.exit(main())
