"""Consent: who opted out and in, as far as people did it, and what must have become of it (INV-18)."""

from dataclasses import dataclass, field

from tests.histories.world import Links, Records, Rows, Violation


@dataclass
class Consent:
    """What people said of their consent. An opt-out stays, unless somebody who knew of it took it back."""

    opted_out: set[str] = field(default_factory=set)
    opted_in: set[str] = field(default_factory=set)
    heirs: dict[str, str] = field(default_factory=dict)
    """Records whose opt-out another has inherited by a merge in the org, and that other."""
    must_be_out: set[str] = field(default_factory=set)
    """Rows whose opt-out nobody has taken back who knew of it."""
    unknown_out: set[str] = field(default_factory=set)
    """Rows whose opt-out the machinery has had no time to see."""
    unticked: set[str] = field(default_factory=set)
    """Rows whose known opt-out was taken away, which the sync does not believe: set again, it looks as if nothing had
    been."""

    def out_here(self, record: str) -> None:
        """A record was opted out."""
        self.opted_out.add(record)
        self.opted_in.discard(record)

    def in_here(self, record: str) -> None:
        """A record was opted in: whoever did it knew what had been seen by then."""
        self.opted_in.add(record)
        self.opted_out.discard(self.heirs.get(record, ""))
        self.must_be_out &= self.unknown_out

    def out_there(self, row: str, *, is_in_here: bool) -> None:
        """A row was opted out; its record stands opted in or not."""
        if row not in self.unticked:
            self.unknown_out.add(row)
            self.must_be_out.add(row)
        elif not is_in_here:
            # An un-tick was taken back: the row is as it was known, and an opt-in here came after that.
            self.must_be_out.add(row)

    def unticked_there(self, row: str, *, was_out: bool) -> None:
        """A row's opt-out was taken away."""
        if was_out and row not in self.unknown_out:
            self.unticked.add(row)
        self.must_be_out.discard(row)

    def inherit(self, survivor: str, other: str) -> None:
        """Of two records that become one the strictest consent counts."""
        if other in self.opted_out - self.opted_in and survivor != other:
            self.opted_out.add(survivor)
            self.opted_in.discard(survivor)
            self.heirs[other] = survivor

    def seen(self, held_out: set[str]) -> None:
        """The machinery looks, and nothing is unseen any more. An un-tick counts where the record stands opted in; a
        row that is ``held_out`` by its record stays known as opted out."""
        self.unknown_out.clear()
        self.unticked &= held_out

    def check(self, records: Records, rows: Rows, links: Links, blocked: set[str]) -> None:
        """Both sides agree, unless an un-tick is ``blocked`` by an error; nobody was opted in by the sync."""
        for remote_id, key, _, is_live in links:
            row, record = rows.get(remote_id), records[key]
            if row is None or not is_live or row.is_deleted or row.is_converted:
                continue
            if row.opted_out and not record.opted_out:
                raise Violation("INV-18", f"{remote_id} has opted out, and record {key} has not")
            if record.opted_out and not row.opted_out and key not in blocked:
                raise Violation("INV-18", f"record {key} has opted out, and {remote_id} has not")
        for remote_id, key, _, is_live in links:
            is_out = remote_id in self.must_be_out and is_live and not rows[remote_id].is_deleted
            if is_out and not records[key].opted_out:
                raise Violation("INV-18", f"{remote_id} was opted out by a user, and record {key} is not")
        for key in self.opted_out - self.opted_in:
            if key in records and records[key].is_active and not records[key].opted_out:
                raise Violation("INV-18", f"record {key} opted out, and somebody else opted it in")
