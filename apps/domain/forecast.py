"""What each frequency costs (B11): API calls a day, from the number of sObjects and from what pushing really used."""

from collections.abc import Sequence
from dataclasses import dataclass

QUESTIONS_PER_CALL = 5
"""Five queries fit one Composite call (Salesforce REST guide, composite resource)."""
MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class RecentUse:
    """Our calls of the last days, by what they were for."""

    days: float
    outbound: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Calls a day at one frequency (minutes; 0: manual only), and what that is of our share."""

    frequency: int
    polling: int
    other: int
    percent_of_share: int | None

    @property
    def calls(self) -> int:
        return self.polling + self.other


def polling_calls(frequency: int, sobjects: int) -> int:
    """Calls a day of an idle connection: one question per sObject and sync, five a call."""
    if frequency <= 0:
        return 0
    syncs = -(-MINUTES_PER_DAY // frequency)
    return syncs * -(-sobjects // QUESTIONS_PER_CALL)


def forecasts(frequencies: Sequence[int], *, sobjects: int, recent: RecentUse, allowance: int | None) -> list[Forecast]:
    """The forecast of every choice. What is not polling does not depend on the choice and is taken as it was lately."""
    other = round((recent.outbound + recent.other) / recent.days) if recent.days > 0 else 0
    found = []
    for frequency in frequencies:
        polling = polling_calls(frequency, sobjects)
        percent = -(-(polling + other) * 100 // allowance) if allowance else None
        found.append(Forecast(frequency, polling, other, percent))
    return found
