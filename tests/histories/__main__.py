"""``python -m tests.histories --count N --level L --seed S``: play histories, shrink what fails, tell how to replay."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import util

from tests.histories.history import History, generate
from tests.histories.machine import shrink, violation_of
from tests.histories.memory.world import MemoryWorld
from tests.histories.world import HistoryWorld

Make = Callable[[History], HistoryWorld]


def main() -> int:
    """0: every history holds; 1: one does not."""
    parser = argparse.ArgumentParser(prog="histories", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--level", type=int, choices=(1, 2), default=1, help="1: in memory; 2: database and emulator")
    parser.add_argument("--seed", type=int, help="the first seed; without it one is drawn and printed")
    parser.add_argument("--seeds", type=int, nargs="+", help="these alone")
    parser.add_argument("--jobs", type=int, default=1, help="processes; at level 2 each with its own services")
    parser.add_argument("--first", action="store_true", help="stop at the first violation, without shrinking")
    parser.add_argument("--show", action="store_true", help="print each history")
    options = parser.parse_args()
    first = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
    seeds: Sequence[int] = options.seeds or range(first, first + options.count)
    print(f"level {options.level}: {len(seeds):,} histories from seed {seeds[0]}", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        if options.jobs > 1:
            played, failed = len(seeds), _in_processes(seeds, options.level, options.jobs)
        else:
            make = stack.enter_context(world_of(options.level))
            played, failed = _play(seeds, make, options)
        seconds = time.monotonic() - began
        print(f"{played:,} histories in {seconds:.0f} s, {len(failed)} with a violation", flush=True)
        if failed and not options.first:
            make = make if options.jobs == 1 else stack.enter_context(world_of(options.level))
            for seed in failed[:3]:
                _explain(seed, options.level, make)
    return 1 if failed else 0


@contextmanager
def world_of(level: int) -> Iterator[Make]:
    """How a fresh world is made at a level."""
    if level == 1:
        yield lambda history: MemoryWorld(history.setup)
        return
    # Django's settings are read when it is imported: the services must be up by then.
    from tests.histories.services import real_worlds

    with real_worlds() as make:
        yield make


def _play(seeds: Sequence[int], make: Make, options: argparse.Namespace) -> tuple[int, list[int]]:
    """How many were played, and which broke an invariant; the third is the last."""
    number, failed = 0, []
    for number, seed in enumerate(seeds, 1):
        history = generate(seed)
        if options.show:
            print(history)
        violation = violation_of(history, make)
        if violation is not None:
            print(f"seed {seed}: {violation}", flush=True)
            failed.append(seed)
            if options.first or len(failed) == 3:
                break
        if number % (10_000 if options.level == 1 else 100) == 0:
            print(f"  {number:,}", flush=True)
    return number, failed


_here: list[Make] = []
"""How a process of several makes its worlds."""


def _begin(level: int) -> None:
    stack = ExitStack()
    _here.append(stack.enter_context(world_of(level)))
    util.Finalize(None, stack.close, exitpriority=0)


def _fails(seed: int) -> tuple[int, str] | None:
    violation = violation_of(generate(seed), _here[0])
    return (seed, str(violation)) if violation is not None else None


def _in_processes(seeds: Sequence[int], level: int, jobs: int) -> list[int]:
    pool = multiprocessing.get_context("fork").Pool(jobs, _begin, (level,))
    failed = []
    for number, found in enumerate(pool.imap_unordered(_fails, seeds, chunksize=500 if level == 1 else 1), 1):
        if found is not None:
            print(f"seed {found[0]}: {found[1]}", flush=True)
            failed.append(found[0])
        if number % (10_000 if level == 1 else 100) == 0:
            print(f"  {number:,}", flush=True)
    pool.close()  # the processes end by themselves, and stop their services
    pool.join()
    return failed


def _explain(seed: int, level: int, make: Make) -> None:
    if violation_of(generate(seed), make) is None:
        print(f"\nseed {seed} holds when it is played again: a matter of time, or of the history before it")
        return
    shortest = shrink(generate(seed), make)
    print(f"\n{violation_of(shortest, make)}\n{shortest}")
    print(f"replay: python3 manage.py histories --level {level} --count 1 --seed {seed}")


if __name__ == "__main__":
    sys.exit(main())
