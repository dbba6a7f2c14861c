"""Seeded databases kept for the next time: the same org and plan come from a copy (EMULATOR_SEED_CACHE)."""

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from emulator.org import Org
from emulator.seed import seed_org

_SOURCES = ("seed.py", "seed_words.py", "schema.py", "world.py", "derived.py")


def seed_cached(org: Org, plan: dict[str, Any]) -> dict[str, int]:
    """Seed an org, from a copy where the same was seeded before."""
    folder = os.environ.get("EMULATOR_SEED_CACHE")
    if not folder or org.store.count("Lead") or org.store.count("Account") or len(org.users) > 1:
        return seed_org(org, plan)
    kept = Path(folder) / f"{_key(org, plan)}.sqlite"
    if kept.is_file():
        made: dict[str, int] = json.loads(kept.with_suffix(".json").read_text(encoding="utf-8"))
        org.store.replace_with(kept)
        return made
    made = seed_org(org, plan)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.with_suffix(".json").write_text(json.dumps(made), encoding="utf-8")
    building = kept.with_suffix(f".{os.getpid()}")
    with sqlite3.connect(building) as target:
        org.store.connection.backup(target)
    target.close()
    building.replace(kept)
    return made


def _key(org: Org, plan: dict[str, Any]) -> str:
    """What the seeded rows depend on: the org, its switches, the plan, and this code."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(json.dumps([org.number, org.options, org.users, plan], sort_keys=True).encode())
    for path in [*(here / name for name in _SOURCES), *sorted((here / "tables").glob("*.table"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
