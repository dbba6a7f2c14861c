"""``python -m bench.sync_now --rows 200000``: "Sync now" and the start of other tenants' syncs beside a full sync.

Measures both in quiet, then while another tenant runs a full sync of ``--rows`` leads, with one worker
process of each queue, as ``manage.py up`` starts them.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from bench.services import running_services, running_worker
from emulator.control import EmulatorControl


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.sync_now", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--samples", type=int, default=40)
    options = parser.parse_args()
    with ExitStack() as stack:
        services = stack.enter_context(running_services())
        stack.enter_context(running_worker("interactive"))
        stack.enter_context(running_worker("routine"))
        stack.enter_context(running_worker("bulk"))
        _measure(services.emulator, options.rows, options.samples)
    return 0


def _measure(emulator: EmulatorControl, rows: int, samples: int) -> None:
    from bench.sync_now_work import Big, Small

    small = Small(emulator)
    small.samples(5)
    quiet = small.samples(samples)
    _print("quiet", quiet, quiet)
    big = Big(emulator, rows)
    big.begin()
    beside = small.samples(samples)
    is_running = big.is_running()
    _print("beside a full sync" if is_running else "beside a full sync that ended meanwhile", beside, quiet)


def _print(what: str, taken: Mapping[str, Sequence[float]], quiet: Mapping[str, Sequence[float]]) -> None:
    for name, seconds in taken.items():
        (p50, p95), (_, floor) = _cuts(seconds), _cuts(quiet[name])
        print(
            f"{what:<24} {name:<36} p50 {p50 * 1000:5.0f} ms   p95 {p95 * 1000:5.0f} ms   {p95 / floor:5.2f} of quiet"
        )


def _cuts(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    cuts = statistics.quantiles(seconds, n=20)
    return cuts[9], cuts[18]


if __name__ == "__main__":
    sys.exit(main())
