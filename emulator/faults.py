"""Scripted faults: which calls they meet, and what they do to them (docs/emulator.md lists the keys)."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass
class Fault:
    """A scripted fault and how many calls it has matched."""

    facts: dict[str, Any]
    seen: int = 0

    def meets(self, method: str, path: str, org_id: str | None, body: bytes = b"") -> bool:
        """Whether it meets this call; counts those that match."""
        facts = self.facts
        if facts.get("method") not in (None, method) or not re.search(facts.get("path", ""), path):
            return False
        if facts.get("org") not in (None, org_id):
            return False
        if "body_has" in facts and str(facts["body_has"]).encode() not in body:
            return False
        self.seen += 1
        if facts.get("every"):
            return self.seen % int(facts["every"]) == 0
        first = int(facts.get("nth", 1))
        return first <= self.seen < first + int(facts.get("times", 1))
