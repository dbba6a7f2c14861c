"""Judging a batch of rows: moves first, then match, then decide. Effects are drafts; ``storing`` writes them."""

from collections.abc import Sequence
from dataclasses import replace

from apps.audience.fields import Kind, local_field
from apps.audience.models import Person, Source
from apps.domain.failures import Category
from apps.domain.mapping import Step
from apps.domain.moves import Move, fate_of, move_of, successor_of
from apps.domain.pushing import may_write
from apps.domain.reconcile import Outcome, Skip, imported, reconcile, step_for_row
from apps.domain.rows import RemoteRow
from apps.sync.desk import OPT_OUT_FIELD, Desk
from apps.sync.drafts import Context, LinkDraft, RecordDraft
from apps.sync.local import blank_record
from apps.sync.models import EntryAction
from apps.sync.moving import move_record
from apps.sync.verdicts import Judged, Verdicts, lines_of, tell_by_itself


class Judge(Verdicts):
    """Judges rows one after another against the desk."""

    def __init__(self, context: Context, desk: Desk, *, queues: bool = True) -> None:
        super().__init__(context, desk)
        self._queues = queues

    def judge(self, row: RemoteRow) -> None:
        """Judge one row."""
        if self._is_person(row) and self.context.local_type == "company":
            self.tally.skip(Skip.PERSON_ACCOUNT)
            return
        link, heir = self.desk.link(row.remote_id), self.desk.link(successor_of(row))
        if link is not None and link.row.is_apart:
            self.tally.skip(Skip.APART)
            return
        move = move_of(
            row,
            own=id(link.record) if link else None,
            is_live=link.row.is_live if link else False,
            heir=id(heir.record) if heir else None,
        )
        if move is not Move.NONE:
            move_record(self, row, move, link, heir)
        elif row.is_deleted:
            self._count_deleted(link)
        elif link is not None:
            self._linked(row, link)
        else:
            self._unlinked(row)

    def _is_person(self, row: RemoteRow) -> bool:
        return row.is_person_account and self.context.policy.person_accounts

    def link_with(self, row: RemoteRow, record: RecordDraft) -> None:
        """Judge a row that was looked for and found: it is this record's. One that has been deleted since it was
        made for the record closes the matter."""
        if row.is_deleted:
            self.new_link(row, record, is_live=False)
            record.elect()
            if not record.has_live_link:
                record.flag(is_active=False)
            self.entry(row, record, EntryAction.DEACTIVATED, fate_of(row))
            return
        row = self._resolved(row)
        step = step_for_row(self.context.steps, row.values)
        self._join(row, step, record)

    def _count_deleted(self, link: LinkDraft | None) -> None:
        if link is None:
            self.tally.skip(Skip.NOT_LINKED)
        else:
            self.tally.unchanged += 1

    # -- linked -----------------------------------------------------------------------------------------------

    def _linked(self, row: RemoteRow, link: LinkDraft) -> None:
        record = link.record
        is_back = not link.row.is_live and not row.is_converted
        if is_back:
            if not record.has_live_link:
                record.flag(is_active=True)
            link.put(is_live=True)
            record.elect(row.remote_id)
            tell_by_itself(record)
        row = self._resolved(row)
        step = step_for_row(self.context.steps, row.values)
        intentions = record.intentions.get(row.remote_id, [])
        outcome = reconcile(
            row, link.state(step, self.desk.layouts), record.state, step, self.context.policy, intentions=intentions
        )
        if outcome.skip is Skip.SUPERSEDED:
            self.tally.skip(Skip.SUPERSEDED)
            return
        self._settle(row, link, step, outcome, EntryAction.REACTIVATED if is_back else EntryAction.UPDATED)

    def _settle(
        self, row: RemoteRow, link: LinkDraft, step: Step | None, outcome: Outcome, action: EntryAction
    ) -> None:
        """Put the outcome into the drafts, count the row, and write down what was done and why."""
        record = link.record
        is_news = row.stamp is not None and link.row.remote_stamp is not None and row.stamp > link.row.remote_stamp
        record.is_to_be_tried_again |= record.is_held and is_news
        link.put(
            remote_stamp=row.stamp or link.row.remote_stamp,
            remote_created_at=row.created_at or link.row.remote_created_at,
            pulled_at=self.context.now,
        )
        self._take_consent(row, link, outcome)
        if step is not None and outcome.base is not None:
            link.keep_base(step, self.desk.layouts, outcome.base)
            link.note(flips=dict(outcome.flips))
            for name, line in lines_of(step, record, outcome.decisions).items():
                record.shown[name] = line
            record.take(outcome.local)
        self._queue_what_is_to_be_written(record, step, outcome)
        self.judged[row.remote_id] = Judged(row, link, step, outcome)
        for key in outcome.blocked:
            self.error(row, link, Category.CHANGED_BACK, f"{key.split('>')[0]} is changed back by your org.", key)
        self.name_unreadable(row, link)
        if record.shown or action is not EntryAction.UPDATED:
            self.tally.updated += 1
            self.entry(row, record, action, outcome.skip or "", record.shown or None)
            record.shown = {}
        elif outcome.skip is not None:
            self.tally.skip(outcome.skip)
        else:
            self.tally.unchanged += 1

    def _take_consent(self, row: RemoteRow, link: LinkDraft, outcome: Outcome) -> None:
        consent = outcome.consent
        if consent is None or not isinstance(link.record.row, Person):
            return
        if consent.local is not None:
            link.record.flag(email_opt_out=consent.local)
            if sum(other.row.is_live for other in link.record.links) > 1:
                link.record.to_queue.add(OPT_OUT_FIELD)  # their other rows are to know it, too
        if consent.is_blocked:
            words = "Somebody in Salesforce has taken this person's opt-out back again."
            self.error(row, link, Category.OPT_OUT_UNTICKED, words)
        elif consent.remote is None and row.opted_out is not None:
            link.put(opted_out=row.opted_out)

    def _queue_what_is_to_be_written(self, record: RecordDraft, step: Step | None, outcome: Outcome) -> None:
        if not self._queues:
            return
        if step is not None and outcome.remote and may_write(step, record.values):
            pushed = set(outcome.pushed_fields)
            record.to_queue |= {rule.local_field for rule in step.rules if rule.key in pushed}
        if outcome.consent is not None and outcome.consent.remote is not None:
            record.to_queue.add(OPT_OUT_FIELD)

    def _resolved(self, row: RemoteRow) -> RemoteRow:
        """References by their canonical name; one to a record that is not here is unknown."""
        values = dict(row.values)
        for rule in (rule for step in self.context.steps for rule in step.rules):
            target = local_field(self.context.local_type, rule.local_field)
            text = values.get(rule.remote_field)
            if target.kind is Kind.REFERENCE and text:
                # The account of a person account is the person, not a company of theirs.
                is_own = target.refers_to == "company" and self._is_person(row)
                name = "" if is_own else self.desk.references.name_of(target.refers_to, text)
                values[rule.remote_field] = name
        return replace(row, values=values)

    # -- unlinked ---------------------------------------------------------------------------------------------

    def _unlinked(self, row: RemoteRow) -> None:
        """What somebody said by hand, then external id, then the key field, then create where allowed."""
        if self.desk.is_erased(row):
            self.tally.skip(Skip.ERASED)
            return
        row = self._resolved(row)
        step = step_for_row([step for step in self.context.steps if step.pulls], row.values)
        is_said, record = self.desk.chosen(row)
        if record is not None:
            self._join(row, step, record)
        elif step is None:
            self.tally.skip(Skip.FILTERED)
        elif is_said:
            self._create(row, step)
        else:
            self._match(row, step)

    def _match(self, row: RemoteRow, step: Step) -> None:
        candidates = self.desk.candidates(row, step)
        if len(candidates) > 1:
            listed = [{"id": c.row.pk, "label": str(c.row)} for c in candidates[:5]]
            names = ", ".join(str(entry["label"]) for entry in listed)
            shown = {rule.local_field: row.values.get(rule.remote_field) or "" for rule in step.rules}
            details: dict[str, object] = {"candidates": listed, "row": shown}
            self.fail(row, Category.AMBIGUOUS_MATCH, f"Several records fit: {names}.", details)
        elif candidates:
            self._join(row, step, candidates[0])
        elif step.create_local:
            self._create(row, step)
        else:
            self.tally.skip(Skip.CREATING_IS_OFF)

    def _join(self, row: RemoteRow, step: Step | None, record: RecordDraft) -> None:
        """A row for a record that is here: link it, and elect anew which link leads."""
        if not record.has_live_link:
            record.flag(is_active=True)
        link = self.new_link(row, record)
        record.elect(row.remote_id)
        made_by_us = record.intentions.get("", [])
        outcome = reconcile(
            row, link.state(step, self.desk.layouts), record.state, step, self.context.policy, intentions=made_by_us
        )
        self._settle(row, link, step, outcome, EntryAction.LINKED)

    def _create(self, row: RemoteRow, step: Step) -> None:
        outcome = imported(row, step)
        is_out = bool(row.opted_out) and self.context.policy.takes_opt_out
        blank = blank_record(
            self.context.local_type, source=Source.SALESFORCE, created_at=self.context.now, updated_at=self.context.now
        )
        if isinstance(blank, Person):
            blank.email_opt_out = is_out
            blank.email = outcome.local.get("email", "")
        record = RecordDraft(blank, {}, is_new=True)
        record.values = self.desk.texts(blank, {rule.local_field for s in self.context.steps for rule in s.rules})
        record.values |= outcome.local
        record.changes |= outcome.local
        link = self.new_link(row, record)
        record.elect(row.remote_id)
        link.keep_base(step, self.desk.layouts, outcome.base or {})
        link.put(opted_out=row.opted_out)
        self.desk.add_record(record)
        self.tally.created += 1
        self.name_unreadable(row, link)
        self.entry(row, record, EntryAction.CREATED)
        if step.pushes and step.update_remote:
            # What Syncline rules goes out at once, an empty value, too, where that is allowed.
            state = link.state(step, self.desk.layouts)
            self._queue_what_is_to_be_written(
                record, step, reconcile(row, state, record.state, step, self.context.policy)
            )


def judge_rows(context: Context, rows: Sequence[RemoteRow], *, queues: bool = True) -> Judge:
    """Judge a batch in the order in which it comes."""
    judge = Judge(context, Desk(context, rows), queues=queues)
    for row in rows:
        judge.judge(row)
    return judge
