"""What a history happens to: the words that both levels understand, and what the oracle may look at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


class Crashed(BaseException):
    """The process died here; nothing that catches exceptions may live on."""


class Violation(Exception):
    """An invariant does not hold; ``args`` are its id and the words."""

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}"


@dataclass(frozen=True, slots=True)
class LocalView:
    """A record of ours as a user sees it."""

    key: str
    values: dict[str, str]
    is_active: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class RemoteView:
    """A row of theirs as a user sees it."""

    key: str
    values: dict[str, str]
    opted_out: bool
    is_deleted: bool
    is_converted: bool = False
    merged_into: str = ""


Records = dict[str, LocalView]
Rows = dict[str, RemoteView]
Links = list[tuple[str, str, bool, bool]]
"""(row, record, is leading, is live)"""


@dataclass
class Counters:
    """What the sync did: calls that wrote rows, and changes here."""

    remote_writes: int = 0
    local_changes: int = 0
    created: dict[str, str] = field(default_factory=dict)
    """Rows made by the sync, and the record that each was made for."""
    beside: dict[str, str] = field(default_factory=dict)
    """Rows made by the sync while another with the same e-mail address stood there, and that other."""


class HistoryWorld(Protocol):
    """Verbs of users, of the org and of the machinery. Keys name records and rows; values are texts."""

    counters: Counters

    def records(self) -> Records: ...
    def rows(self) -> Rows: ...
    def links(self) -> Links: ...

    def add_local(self, email: str, values: dict[str, str]) -> str: ...
    def edit_local(self, key: str, name: str, text: str) -> None: ...
    def consent_local(self, key: str, opted_out: bool) -> None: ...
    def add_remote(self, email: str, values: dict[str, str]) -> str: ...
    def edit_remote(self, key: str, name: str, text: str) -> None: ...
    def late_edit_remote(self, key: str, name: str, text: str, seconds: int) -> bool: ...
    def consent_remote(self, key: str, opted_out: bool) -> None: ...
    def delete_remote(self, key: str) -> None: ...
    def undelete_remote(self, key: str) -> None: ...
    def merge_remote(self, winner: str, loser: str) -> None: ...
    def convert_remote(self, key: str) -> str: ...
    def hide(self, name: str, *, silently: bool) -> bool: ...
    def show(self) -> None: ...
    def trigger(self, name: str) -> None: ...
    def clear_weather(self) -> None: ...
    def lock(self, key: str) -> None: ...
    def lose_reply(self) -> None: ...
    def wait(self, seconds: int) -> None: ...

    def poll(self, crash_at: int | None = None, between: Callable[[], None] | None = None) -> None: ...
    def push(self, crash_at: str | None = None, between: Callable[[], None] | None = None) -> None: ...
    def sync_now(self, key: str, between: Callable[[], None] | None = None) -> None: ...
    def errors(self) -> list[tuple[str, str]]: ...
