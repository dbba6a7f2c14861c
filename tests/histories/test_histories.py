"""A share of the histories for every run of the tests: fresh seeds, which are named when one fails, and kept ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.histories.history import History, generate
from tests.histories.machine import shrink, violation_of
from tests.histories.memory.world import MemoryWorld
from tests.histories.mutants import MUTANTS, Mutant

BASE = Path(__file__).resolve().parents[2]
FRESH = 3_000
FRESH_IN_EARNEST = 20
KEPT_IN_EARNEST = (2_142, 7_106, 4_114_009_251)
"""Seeds that found a defect with the database: a watermark that passed over a deletion, a push that went on with the
mappings that it had begun with, a comparison without an end."""
KEPT = (
    *(92, 147, 167, 203, 235, 2_514, 10_504, 22_373, 71_183, 568_813_266, 568_840_955, 920_010_443, 940_018_308),
    *(950_029_986, 950_063_444, 970_024_555),
)
"""Seeds that found a defect once: a blank that ruled, consent of a second row, a new leader that nobody read, a row
made twice, a merge that forgot, a merge into a record whose rows were gone; and where the machine was wrong itself: an
opt-out that was set again unseen, a creation that was looked at twice, a link taken from its record, a rest before the
queue was empty, an un-tick that was taken back, twice."""


def in_memory(history: History) -> MemoryWorld:
    return MemoryWorld(history.setup)


@pytest.mark.parametrize("seed", KEPT)
def test_history_that_found_a_defect_holds(seed: int) -> None:
    assert violation_of(generate(seed), in_memory) is None


def test_fresh_histories_hold_in_memory() -> None:
    first = int.from_bytes(os.urandom(4))
    for seed in range(first, first + FRESH):
        violation = violation_of(generate(seed), in_memory)
        assert violation is None, f"seed {seed}: {violation}\n{shrink(generate(seed), in_memory)}"


def test_seed_gives_the_same_history_to_the_byte() -> None:
    assert str(generate(4_711)) == str(generate(4_711))
    assert str(generate(4_711)) != str(generate(4_712))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_text_that_a_mutant_changes_stands_there_once(mutant: Mutant) -> None:
    """Code moves, and a mutant has to move with it."""
    for file, old, _ in mutant.changes:
        assert (BASE / file).read_text().count(old) == 1, f"{file}: {old}"


def test_histories_hold_with_database_and_emulator() -> None:
    first = int.from_bytes(os.urandom(4))
    seeds = (*KEPT_IN_EARNEST, *range(first, first + FRESH_IN_EARNEST))
    command = [sys.executable, "-m", "tests.histories", "--level", "2", "--seeds", *map(str, seeds)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=BASE, capture_output=True, text=True, check=False, env=environment, timeout=900)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
