"""What the hub knows of a system that Syncline connects, or will."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Groups of the hub, in the order in which they are shown."""

    CRM = "CRM"


@dataclass(frozen=True, slots=True)
class Provider:
    """One card of the hub. A planned one has no page, so it gets no button."""

    key: str
    name: str
    kind: Kind
    summary: str
    icon: str
    url_name: str = ""

    @property
    def is_available(self) -> bool:
        return bool(self.url_name)

    def matches(self, words: str) -> bool:
        """Whether every word of a search is found in name, kind or summary."""
        text = f"{self.name} {self.kind} {self.summary}".lower()
        return all(word in text for word in words.lower().split())
