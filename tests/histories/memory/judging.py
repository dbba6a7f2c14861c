"""What the engine sees of both sides, and how a row is judged."""

from apps.domain.baseline import pack, unpack
from apps.domain.decider import Baseline
from apps.domain.leading import LinkFacts, leading_link
from apps.domain.mapping import Direction, Step
from apps.domain.moves import Move, fate_of, merged_values, move_of, successor_of
from apps.domain.pushing import may_write
from apps.domain.reconcile import Intention, LinkState, Outcome, RecordState, Skip, imported, reconcile
from apps.domain.rows import RemoteRow
from tests.histories.history import FIELDS
from tests.histories.memory.sides import Sides
from tests.histories.memory.state import EMAIL, Link, Record, Row


class Judging(Sides):
    """Judges rows, as every pull and push does."""

    # -- what it sees -----------------------------------------------------------------------------------------

    def _seen(self, row: Row) -> RemoteRow:
        return RemoteRow(
            row.id,
            {name: (None if name in self.hidden | self.silent else text) for name, text in row.values.items()},
            stamp=row.stamp,
            modified_at=row.modified_at,
            created_at=row.created_at,
            opted_out=row.opted_out,
            is_deleted=row.is_deleted,
            merged_into=row.merged_into,
            is_converted=bool(row.contact),
            converted_contact=row.contact,
            external_id=row.external_id,
        )

    def _steps(self, sobject: str) -> Step:
        visible = tuple(rule for rule in self.rules if rule.remote_field not in self.hidden)
        return Step(
            sobject,
            "person",
            Direction.TWO_WAY,
            visible,
            create_remote=self.setup.creates and sobject == "Lead",
            update_remote=True,
        )

    def _layout(self, link: Link, step: Step) -> Baseline:
        keys = [rule.key for rule in self.rules]
        return unpack(step.rules, keys, link.base_remote, link.base_local)

    def _keep(self, link: Link, base: dict[str, tuple[str | None, str | None]]) -> None:
        """Fields that are hidden now keep what was known of them."""
        keys = [rule.key for rule in self.rules]
        known = unpack(self.rules, keys, link.base_remote, link.base_local)
        pairs = {rule.key: base.get(rule.key, known.of(rule.key)) for rule in self.rules}
        link.base_remote, link.base_local = pack(self.rules, pairs)

    def _state(self, link: Link, step: Step) -> LinkState:
        return LinkState(
            link.remote_id,
            link.sobject,
            link.is_leading,
            link.is_live,
            link.stamp,
            link.created_at,
            self._layout(link, step),
            link.opted_out,
            link.was_set_again,
            link.flips,
        )

    def _record_state(self, record: Record) -> RecordState:
        change = self.outbox.get(record.id)
        return RecordState(
            record.values,
            record.is_active,
            record.opted_out,
            record.version,
            dict(change.fields) if change else {},
            record.opted_in_at if change and "opt_out" in change.fields else None,
        )

    def _links_of(self, record_id: int) -> list[Link]:
        return [link for link in self.all_links.values() if link.record == record_id]

    def _elect(self, record_id: int, judged: str = "") -> None:
        """Elect the leading link; one that is not being judged is to be read."""
        links = self._links_of(record_id)
        before = {link.remote_id for link in links if link.is_leading}
        chosen = leading_link(LinkFacts(k.remote_id, k.sobject, k.created_at, k.is_live) for k in links)
        for link in links:
            link.is_leading = chosen is not None and link.remote_id == chosen.remote_id
        if chosen is not None and chosen.remote_id not in before | {judged}:
            self._queue(record_id, ["leading_row"])

    def _intentions(self, record_id: int, remote_id: str) -> list[Intention]:
        return [
            Intention(i.after, i.opted_out, i.seen, None if i.remote_id else i.read_at)
            for i in self.intents
            if i.is_open and i.record == record_id and i.remote_id == remote_id
        ]

    # -- judging ----------------------------------------------------------------------------------------------

    def _judge(self, row: RemoteRow, sobject: str, *, queues: bool) -> tuple[Link, Step, Outcome] | None:
        link, heir = self.all_links.get(row.remote_id), self.all_links.get(successor_of(row))
        move = move_of(
            row,
            own=link.record if link else None,
            is_live=link.is_live if link else False,
            heir=heir.record if heir else None,
        )
        if move is not Move.NONE:
            self._move(row, move, link, heir)
            return None
        if row.is_deleted:
            return None
        made_by_us: list[Intention] = []
        if link is None:
            link = self._join_or_import(row, sobject)
            if link is None:
                return None
            made_by_us = self._intentions(link.record, "")
        elif not link.is_live and not row.is_converted:
            if not any(other.is_live for other in self._links_of(link.record)):
                self.local[link.record].is_active = True
            link.is_live = True
            self._elect(link.record, row.remote_id)
        step = self._steps(link.sobject)
        record = self.local[link.record]
        intentions = [*self._intentions(record.id, row.remote_id), *made_by_us]
        outcome = reconcile(
            row, self._state(link, step), self._record_state(record), step, self.policy, intentions=intentions
        )
        if outcome.skip is Skip.SUPERSEDED:
            return None
        self._take(row, link, outcome)
        if queues and outcome.writes:
            waiting = self.outbox.get(record.id)
            names = [self._local_name(key) for key in outcome.pushed_fields if may_write(step, record.values)]
            if outcome.consent is not None and outcome.consent.remote is not None:
                names.append("opt_out")
            missing = [name for name in names if waiting is None or name not in waiting.fields]
            if missing:
                self._queue(record.id, missing)
        return link, step, outcome

    def _local_name(self, key: str) -> str:
        return key.split(">")[1]

    def _take(self, row: RemoteRow, link: Link, outcome: Outcome) -> None:
        record = self.local[link.record]
        link.stamp = row.stamp or link.stamp
        link.created_at = row.created_at or link.created_at
        link.flips = dict(outcome.flips)
        changed = {name: text for name, text in outcome.local.items() if record.values.get(name) != text}
        record.values |= changed
        consent = outcome.consent
        if consent is not None and consent.local is not None:
            changed["opt_out"] = "true"
            record.opted_out = consent.local
            if sum(other.is_live for other in self._links_of(record.id)) > 1:
                self._queue(record.id, ["opt_out"])
        if consent is not None and consent.is_blocked:
            self.failed.append((str(record.id), "opt_out_unticked"))
        elif consent is not None and consent.remote is None and row.opted_out is not None:
            link.opted_out = row.opted_out
        if changed:
            record.version += 1
            self.counters.local_changes += 1
        if outcome.base is not None:
            self._keep(link, dict(outcome.base))
        self.failed += [(str(record.id), f"changed_back {self._local_name(key)}") for key in outcome.blocked]

    def _join_or_import(self, row: RemoteRow, sobject: str) -> Link | None:
        email = row.values.get(EMAIL) or ""
        found = next(
            (r for r in self.local.values() if row.external_id == f"x-{r.id}" or (email and r.values[EMAIL] == email)),
            None,
        )
        step = self._steps(sobject)
        link = Link(row.remote_id, sobject, 0, created_at=row.created_at)
        if found is not None:
            if not any(other.is_live for other in self._links_of(found.id)):
                found.is_active = True
            link.record = found.id
        else:
            outcome = imported(row, step)
            self._ids += 1
            made = Record(self._ids, {EMAIL: "", **dict.fromkeys(FIELDS, ""), **outcome.local})
            made.opted_out = bool(row.opted_out)
            self.local[made.id] = made
            link.record = made.id
            link.opted_out = row.opted_out
            link.stamp = row.stamp
            self._keep(link, dict(outcome.base or {}))
        self.all_links[row.remote_id] = link
        self._elect(link.record, row.remote_id)
        return link

    def _move(self, row: RemoteRow, move: Move, link: Link | None, heir: Link | None) -> None:
        if move is Move.ATTACH:
            assert heir is not None
            self.all_links[row.remote_id] = Link(row.remote_id, "Lead", heir.record, is_live=False, stamp=row.stamp)
            return
        assert link is not None
        record = self.local[link.record]
        if row.opted_out and not record.opted_out:
            record.opted_out = True
            self._queue(record.id, ["opt_out"])
        link.is_live, link.stamp = False, row.stamp or link.stamp
        if move is Move.FOLLOW:
            successor = successor_of(row)
            kept = fate_of(row) == "merged"
            self.all_links[successor] = Link(
                successor,
                link.sobject if kept else "Contact",
                record.id,
                base_remote=link.base_remote if kept else None,
                base_local=link.base_local if kept else None,
                opted_out=link.opted_out if kept else None,
            )
            self._elect(record.id)
        elif move is Move.MERGE:
            assert heir is not None
            self._merge(record, self.local[heir.record])
        else:
            self._elect(record.id)
            if not any(other.is_live for other in self._links_of(record.id)):
                record.is_active = False

    def _merge(self, other: Record, survivor: Record) -> None:
        lives, lived = (any(link.is_live for link in self._links_of(one.id)) for one in (other, survivor))
        if other.is_active and lives and not lived:
            survivor.is_active = True
        for link in self._links_of(other.id):
            link.record = survivor.id
            link.base_remote = link.base_local = None
        taken = merged_values(survivor.values, other.values)
        other.values[EMAIL] = ""
        survivor.values |= taken
        survivor.opted_out = survivor.opted_out or other.opted_out
        survivor.version += 1
        self._queue(survivor.id, [*taken, "leading_row", *(["opt_out"] if survivor.opted_out else [])])
        other.is_active = False
        self.outbox.pop(other.id, None)
        self._elect(survivor.id)
