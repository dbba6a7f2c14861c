"""Who acts: a member, or one of the tenant's API keys."""

from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """Whoever changes something, as the timeline and the audit log name them; ``pk`` is a user's, None for a key."""

    @property
    def pk(self) -> int | None: ...

    @property
    def email(self) -> str: ...

    @property
    def display_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class KeyActor:
    """An API key that acts by itself."""

    display_name: str
    pk: None = None

    @property
    def email(self) -> str:
        """What the audit log shows where a member has an address."""
        return self.display_name
