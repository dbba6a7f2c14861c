"""What both sides and the engine keep."""

from dataclasses import dataclass, field
from datetime import datetime

EMAIL = "email"


@dataclass
class Row:
    """A row of theirs."""

    id: str
    sobject: str
    values: dict[str, str]
    stamp: datetime
    modified_at: datetime
    created_at: datetime
    opted_out: bool = False
    is_deleted: bool = False
    merged_into: str = ""
    contact: str = ""
    external_id: str = ""


@dataclass
class Record:
    """A record of ours."""

    id: int
    values: dict[str, str]
    is_active: bool = True
    opted_out: bool = False
    version: int = 1
    opted_in_at: datetime | None = None


@dataclass
class Link:
    """A link, its baseline packed as it is stored."""

    remote_id: str
    sobject: str
    record: int
    is_leading: bool = False
    is_live: bool = True
    stamp: datetime | None = None
    created_at: datetime | None = None
    base_remote: list[str | None] | None = None
    base_local: dict[str, str | None] | None = None
    opted_out: bool | None = None
    was_set_again: bool = False
    flips: dict[str, int] = field(default_factory=dict)


@dataclass
class Change:
    """A waiting change."""

    fields: dict[str, datetime]
    generation: int = 1


@dataclass
class Intent:
    """A journal row; ``remote_id`` is empty for a row that is to be made."""

    record: int
    remote_id: str
    values: dict[str, str]
    after: dict[str, tuple[str | None, str | None]]
    opted_out: bool | None
    set_again: bool
    seen: datetime | None
    generation: int
    read_at: datetime
    flips: tuple[str, ...] = ()
    is_open: bool = True
