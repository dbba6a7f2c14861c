"""A history: what users, the org and the machinery do, as a list of small operations that every seed gives again.

Operations name things by number, taken modulo what exists when they happen: so a history stays one when operations
are left out, and a failing one can be shrunk.
"""

import random
from dataclasses import dataclass, field

FIELDS = ("first", "title", "phone", "city", "fax")
WAYS = ("off", "fill", "overwrite")
WINNERS = ("remote", "local", "latest")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that happens. ``a``, ``b`` and ``c`` choose whom and what it concerns."""

    verb: str
    a: int = 0
    b: int = 0
    c: int = 0

    def __str__(self) -> str:
        return f"{self.verb}({self.a}, {self.b}, {self.c})"


@dataclass(frozen=True, slots=True)
class Setup:
    """How the tenant is set up: ways and winner of each field, blank policies, the package, and creating."""

    rules: tuple[tuple[str, str, str, str], ...]
    """(field, way in, way out, winner)"""
    blank_in: bool = True
    blank_out: bool = False
    has_package: bool = False
    creates: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """A setup and what happens then."""

    seed: int
    setup: Setup
    operations: tuple[Operation, ...] = field(default=())

    def __str__(self) -> str:
        lines = [f"seed {self.seed}", f"setup {self.setup}", *(f"  {op}" for op in self.operations)]
        return "\n".join(lines)


_WEIGHTS = {
    "edit_local": 10,
    "edit_remote": 10,
    "blank_local": 2,
    "blank_remote": 3,
    "add_local": 2,
    "add_remote": 2,
    "delete_remote": 2,
    "undelete_remote": 2,
    "merge_remote": 1,
    "convert_remote": 1,
    "opt_out_local": 1,
    "opt_out_remote": 1,
    "opt_in_local": 1,
    "untick_remote": 1,
    "late_edit_remote": 3,
    "hide": 1,
    "show": 1,
    "trigger": 1,
    "lock": 1,
    "poll": 9,
    "poll_with_push_between": 3,
    "push": 9,
    "sync_now": 3,
    "poll_and_crash": 2,
    "push_and_crash": 4,
    "push_with_edit_between": 4,
    "sync_now_with_edit_between": 2,
    "lose_reply": 2,
    "wait": 4,
    "settle": 3,
}


def generate(seed: int, *, length: int = 22) -> History:
    """The history of a seed. Few records and few fields, so that edits collide."""
    rng = random.Random(seed)
    rules = tuple((name, *_ways(rng), rng.choice(WINNERS)) for name in FIELDS)
    setup = Setup(
        rules=rules,
        blank_in=rng.random() < 0.7,
        blank_out=rng.random() < 0.5,
        has_package=rng.random() < 0.5,
        creates=rng.random() < 0.9,
    )
    verbs, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    start = [Operation("add_remote", rng.randrange(100)) for _ in range(rng.randint(1, 3))]
    start += [Operation("add_local", rng.randrange(100)) for _ in range(rng.randint(0, 1))]
    some = [
        Operation(verb, rng.randrange(100), rng.randrange(100), rng.randrange(100))
        for verb in rng.choices(verbs, weights, k=rng.randint(4, length))
    ]
    return History(seed, setup, (*start, Operation("settle"), *some, Operation("settle")))


def _ways(rng: random.Random) -> tuple[str, str]:
    """Two-way most often: there the most can go wrong."""
    if rng.random() < 0.5:
        return "overwrite", "overwrite"
    return rng.choice(WAYS), rng.choice(WAYS)


def without(history: History, start: int, end: int) -> History:
    """The history without some operations."""
    return History(history.seed, history.setup, history.operations[:start] + history.operations[end:])
