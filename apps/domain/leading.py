"""Which link of a record leads: only the leading one exchanges mapped values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_RANK = {"Contact": 0, "Lead": 1}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What the election looks at."""

    remote_id: str
    sobject: str
    created_at: datetime | None
    is_live: bool = True


def leading_link(links: Iterable[LinkFacts]) -> LinkFacts | None:
    """Contact before Lead, then the oldest row, then the smaller id; None where no link is live."""
    live = [link for link in links if link.is_live]
    return min(live, key=_order, default=None)


def _order(link: LinkFacts) -> tuple[int, datetime, str]:
    return _RANK.get(link.sobject, 2), link.created_at or _NEVER, link.remote_id
