"""``python -m tests.histories.mutants``: defects seeded in the product's own code, each of which histories must catch.

Each mutant is one change of text in a copy of the tree. A defence that would mask it is switched off in the same copy.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
_PARTS = ("apps", "config", "emulator", "tests", "templates", "static", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A defect: (file, text, what stands there instead), more than one where a defence would mask it."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    level: int = 1
    count: int = 20_000
    seeds: tuple[int, ...] = ()
    """Histories that tell, where they are known: at level 2 as many as it takes by chance would last too long. They
    are those that tell in memory when the shell there has the same defect."""


_RECONCILE, _DECIDER, _MOVES = "apps/domain/reconcile.py", "apps/domain/decider.py", "apps/domain/moves.py"
_WINDOWS, _PUSHING, _CONSENT = "apps/domain/windows.py", "apps/domain/pushing.py", "apps/domain/consent.py"
_NO_LOOK_BACK = (_WINDOWS, "LOOK_BACK = timedelta(minutes=10)", "LOOK_BACK = timedelta(0)")
_NO_SETTLE = (_WINDOWS, "SETTLE = timedelta(seconds=5)", "SETTLE = timedelta(0)")

MUTANTS = (
    Mutant(
        "one shared base instead of one per side",
        (("apps/domain/baseline.py", "    return remote, local or None", "    return remote, None"),),
    ),
    Mutant(
        "base stored before the write succeeded",
        (
            (
                _RECONCILE,
                "base={key: d.base for key, d in decisions.items()},",
                "base={key: d.base_after_write or d.base for key, d in decisions.items()},",
            ),
        ),
    ),
    Mutant("deletions ignored", ((_MOVES, "    if row.is_deleted:\n        return Fate.MERGED", "    if False:\n        return Fate.MERGED"),)),
    Mutant(
        "blank treated as no news",
        ((_DECIDER, "    if remote is None or local is None:", "    if not remote or local is None:"),),
    ),
    Mutant(
        "insert instead of upsert, without looking",
        (
            (
                "apps/sync/push/creating.py",
                "    hits = _look(work, {i: step for i, step in chosen.items() if MAKE_NEW not in work.claims[i].fields}, names)",
                "    hits: Hits = {}",
            ),
            ("apps/sync/push/creating.py", "            elif has_external_id:", "            elif False:"),
            ("apps/sync/push/creating.py", "    hits |= find_unanswered(work, chosen.keys() - hits.keys())\n", ""),
        ),
        level=2,
        count=400,
        seeds=(174, 708, 852, 869),
    ),
    Mutant("no look-back", (_NO_LOOK_BACK,)),
    Mutant(
        "look-back half the commit delay",
        ((_WINDOWS, "LOOK_BACK = timedelta(minutes=10)", "LOOK_BACK = timedelta(minutes=4)"),),
    ),
    Mutant(
        "whole-row writes",
        (
            (
                _RECONCILE,
                "remote={rules[key].remote_field: d.remote for key, d in decisions.items() if d.remote is not None},",
                "remote={rules[key].remote_field: d.remote if d.remote is not None else (d.base[0] or '')"
                " for key, d in decisions.items()} if any(d.remote is not None for d in decisions.values()) else {},",
            ),
        ),
    ),
    Mutant(
        "no intent journal",
        (
            (
                _RECONCILE,
                "    for intention in intentions:\n        base = settled_by(row, base, intention, step.rules)\n",
                "",
            ),
        ),
    ),
    Mutant(
        "unresolved intent dropped",
        (("apps/sync/desk.py", "closed_at__isnull=True", "closed_at__isnull=False"),),
        level=2,
        count=1_500,
        seeds=(1106, 3717, 3843, 4742, 5179, 5588),
    ),
    Mutant(
        "no version check on our side: older rows are applied",
        (
            (
                _RECONCILE,
                "    if link.stamp is not None and row.stamp is not None and row.stamp < link.stamp:",
                "    if False:",
            ),
            (_PUSHING, "    if seen is not None and known is not None and known > seen:", "    if False:"),
        ),
    ),
    Mutant(
        "watermark from a clock that is fast",
        ((_WINDOWS, "    return Window(covered_to - look_back, org_now - SETTLE)", "    return Window(covered_to - look_back, org_now + timedelta(seconds=3))"), _NO_LOOK_BACK),
    ),
    Mutant(
        "retried create takes our values for unknown",
        ((_PUSHING, "        after[rule.key] = (theirs, ours)", "        after[rule.key] = (None, None)"),),
    ),
    Mutant(
        "no precondition on a single write",
        (
            (
                "apps/salesforce/conditional.py",
                " AND SystemModstamp = {moment(seen)}",
                "",
            ),
        ),
        level=2,
        count=1_500,
        seeds=(2728, 3282),
    ),
    Mutant(
        "watermark moved before the page was applied",
        (
            (
                "apps/sync/pull/differential.py",
                "    _apply_moves(hold, run, asked)\n",
                "    _move_watermarks(hold, run, {one.question.sobject for one in asked}, org_time)\n"
                "    _apply_moves(hold, run, asked)\n",
            ),
            _NO_LOOK_BACK,
        ),
        level=2,
        count=600,
        seeds=(34, 176, 237, 372, 540),
    ),
    Mutant(
        "tombstone not tied to the link",
        ((_MOVES, "    if not is_live:\n        return Move.NONE\n", ""), (_MOVES, "    if fate is Fate.DELETED or own == heir:", "    if fate is Fate.DELETED:")),
    ),
    Mutant(
        "> instead of >=",
        ((_WINDOWS, "        return self.since <= stamp < self.until", "        return self.since < stamp < self.until"), _NO_LOOK_BACK, _NO_SETTLE),
    ),
    Mutant(
        "outbox cleared without version check",
        ((_PUSHING, "    return claimed == present", "    return True"),),
    ),
    # What we would fear most besides.
    Mutant(
        "a hidden field is taken for blank",
        ((_DECIDER, "    if remote is None or local is None:\n", "    remote = remote or ''\n    if local is None:\n"),),
    ),
    Mutant(
        "an opt-out there is not taken",
        ((_CONSENT, "local=True if takes_remote else None", "local=None"),),
    ),
    Mutant(
        "an opt-in here beats an opt-out that is news",
        ((_CONSENT, "        if opted_in_here and base is True:", "        if opted_in_here:"),),
    ),
    Mutant(
        "an un-tick there opts in here",
        ((_CONSENT, "    if was_set_again:\n", "    if True:\n        return ConsentDecision(ConsentRule.SET_AGAIN, local=False)\n    if was_set_again:\n"),),
    ),
    Mutant(
        "the loser of a conflict wins",
        ((_DECIDER, "        return Reason.CONFLICT_LOCAL, False", "        return Reason.CONFLICT_LOCAL, True"), (_DECIDER, "        return _to_remote(rule, Reason.FIRST_CONTACT, base, local)\n", "        return _to_local(rule, Reason.FIRST_CONTACT, remote, local)\n")),
    ),
    Mutant(
        "fill overwrites",
        ((_DECIDER, "    if way_in is Way.FILL and local == \"\":\n        return _to_local(rule, Reason.FILLED, remote, local)\n    if way_out", "    if way_in is Way.FILL:\n        return _to_local(rule, Reason.FILLED, remote, local)\n    if way_out"),),
    ),
    Mutant(
        "a field that is off flows",
        (("apps/domain/mapping.py", "        return rule.way_in if self.pulls and self.update_local else Way.OFF", "        return Way.OVERWRITE"),),
    ),
    Mutant(
        "a local change is not seen beside a remote one",
        ((_DECIDER, "remote_moved, local_moved = remote != base_remote, local != base_local", "remote_moved, local_moved = remote != base_remote, False"),),
    ),
    Mutant(
        "a row made before a crash is forgotten once it is deleted",
        (("apps/sync/push/creating.py", '        return set(intents.values_list("local_id", flat=True))', "        return set()"),),
        level=2,
        count=1_500,
        seeds=(5606, 6764, 9834, 10815),
    ),
    Mutant(
        "an undeleted row stays closed",
        (("apps/sync/judging.py", "        is_back = not link.row.is_live and not row.is_converted", "        is_back = False"),),
        level=2,
        count=400,
        seeds=(21, 22, 174),
    ),
    Mutant(
        "a row that leads anew is not read",
        (("apps/sync/drafts.py", "            self.to_queue.add(LEADING_ROW)", "            pass"),),
        level=2,
        count=1_500,
        seeds=(40, 242, 250, 383),
    ),
    Mutant(
        "a merge forgets who opted out",
        (("apps/sync/moving.py", "        survivor.flag(email_opt_out=True)", "        pass"),),
        level=2,
        count=1_500,
        seeds=(6421,),
    ),
    Mutant(
        "a blank held back is written",
        (
            (_DECIDER, "        if not blanks.into_remote:", "        if False:"),
            (_DECIDER, '    if local == "" and not blanks.into_remote:', "    if False:"),
        ),
    ),
)  # fmt: skip


class Misplaced(Exception):
    """The text that a mutant changes is not there exactly once."""


def main() -> int:
    """0: all are caught."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--level", type=int, choices=(1, 2), help="only those that are hunted at this level")
    parser.add_argument(
        "--seed", type=int, default=0, help="hunt from this one, also where histories that tell are known"
    )
    options = parser.parse_args()
    survivors = []
    for mutant in (m for m in MUTANTS if options.only in m.name and options.level in {None, m.level}):
        began = time.monotonic()
        caught = _hunt(mutant, options.seed)
        seconds = time.monotonic() - began
        print(
            f"{'caught  ' if caught else 'SURVIVED'} level {mutant.level} {seconds:5.0f} s  {mutant.name}: {caught}",
            flush=True,
        )
        if not caught:
            survivors.append(mutant.name)
    print(f"{len(survivors)} survived" if survivors else "all caught")
    return 1 if survivors else 0


def _hunt(mutant: Mutant, seed: int) -> str:
    """The first violation that histories find in the mutated copy; empty where they find none."""
    with tempfile.TemporaryDirectory(prefix="syncline-mutant-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in _PARTS:
            _copy(BASE / part, folder / part)
        for file, old, new in mutant.changes:
            _change(folder / file, old, new)
        command = [sys.executable, "-P", "-m", "tests.histories", "--level", str(mutant.level), "--first"]
        if mutant.seeds and not seed:
            command += ["--seeds", *map(str, mutant.seeds)]
        else:
            command += ["--count", str(mutant.count), "--seed", str(seed)]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, env=_environment(folder)
        )
        found = re.search(r"^seed (\d+): (.*)$", done.stdout, re.MULTILINE)
        if found is None and done.returncode not in {0, 1}:
            return f"it does not even run: {done.stderr.strip().splitlines()[-1]}"
        return f"seed {found[1]}: {found[2]}" if found else ""


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder)}


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if text.count(old) != 1:
        raise Misplaced(f"{path.name}: {text.count(old)} times {old!r}")
    path.write_text(text.replace(old, new))


if __name__ == "__main__":
    sys.exit(main())
