"""People as somebody names them in a form: e-mail addresses, one a line."""

from dataclasses import dataclass

from apps.audience.services.event_people import ids_by_email

MOST = 500
_MOST_NAMED = 5
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Named:
    """The people that were found, and the addresses that nobody here has."""

    ids: list[int]
    unknown: list[str]

    @property
    def missing_words(self) -> str:
        """Who is not here, in a sentence; empty where everybody is."""
        if not self.unknown:
            return ""
        shown = ", ".join(one[:80] for one in self.unknown[:_MOST_NAMED])
        more = len(self.unknown) - _MOST_NAMED
        others = f" and {more:,} more" if more > 0 else ""
        return f"Nobody here has the address {shown}{others}."


class TooMany(ValueError):
    """More addresses than one form takes."""

    def __init__(self) -> None:
        super().__init__(
            f"At most {MOST} addresses at once. For more, use the people list: filter, then “Add to list”."
        )


def people_named(text: str) -> Named:
    """The people with these addresses, parted by lines, commas, semicolons or blanks. Raises TooMany."""
    words = text[:_LONGEST].replace("\0", "").lower().replace(",", " ").replace(";", " ").split()
    addresses = list(dict.fromkeys(words))
    if len(addresses) > MOST:
        raise TooMany
    found = ids_by_email(addresses)
    return Named(sorted(found.values()), [one for one in addresses if one not in found])
