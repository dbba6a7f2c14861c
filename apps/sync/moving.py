"""What becomes of the record of a row that was deleted, merged or converted (``apps.domain.moves`` says which)."""

from apps.audience.models import Person
from apps.domain.automatic import AUTOMATIC
from apps.domain.moves import Fate, Move, fate_of, merged_values, successor_of
from apps.domain.rows import RemoteRow
from apps.sync.desk import OPT_OUT_FIELD
from apps.sync.drafts import LEADING_ROW, LinkDraft, RecordDraft
from apps.sync.models import Conversion, EntryAction, RecordLink
from apps.sync.verdicts import Merge, Verdicts, tell_by_itself

_CONTACT = {Fate.CONVERTED: "Contact"}


def move_record(verdicts: Verdicts, row: RemoteRow, move: Move, link: LinkDraft | None, heir: LinkDraft | None) -> None:
    """Carry out what has become of a row's record: it goes on with another row, in another record, or ends."""
    verdicts.tally.resolved.append(row.remote_id)
    verdicts.tally.updated += 1
    _note_conversion(verdicts, row)
    if move is Move.ATTACH:
        assert heir is not None
        attached = verdicts.new_link(row, heir.record, is_live=False)
        verdicts.entry(row, attached.record, EntryAction.LINKED, "converted")
        return
    assert link is not None
    record = link.record
    if row.opted_out and verdicts.context.policy.takes_opt_out and isinstance(record.row, Person):
        record.flag(email_opt_out=True)
        record.to_queue.add(OPT_OUT_FIELD)
    link.put(is_live=False, remote_stamp=row.stamp or link.row.remote_stamp, pulled_at=verdicts.context.now)
    if move is Move.FOLLOW:
        _follow(verdicts, row, link)
        record.elect()
        verdicts.entry(row, record, EntryAction.MOVED, fate_of(row))
    elif move is Move.MERGE:
        assert heir is not None
        _merge(verdicts, row, record, heir.record)
    else:
        _end(verdicts, row, record)


def _note_conversion(verdicts: Verdicts, row: RemoteRow) -> None:
    """What else the lead became may not be here yet: it is joined when it is."""
    if fate_of(row) is Fate.CONVERTED and (row.converted_account or row.converted_opportunity):
        verdicts.conversions.append(
            Conversion(
                connection_id=verdicts.context.connection_id,
                lead_id=row.remote_id,
                account_id=row.converted_account,
                opportunity_id=row.converted_opportunity,
                has_company=not row.converted_account,
                has_opportunity=not row.converted_opportunity,
            )
        )


def _end(verdicts: Verdicts, row: RemoteRow, record: RecordDraft) -> None:
    record.elect()
    if record.has_live_link:
        verdicts.entry(row, record, EntryAction.MOVED, fate_of(row))
        return
    record.flag(is_active=False)
    verdicts.entry(row, record, EntryAction.DEACTIVATED, fate_of(row))


def _follow(verdicts: Verdicts, row: RemoteRow, link: LinkDraft) -> None:
    """The record goes on with the row that took the place of its own. A merge keeps the baseline, so that what
    the winner brings is news; a contact made from a lead is met for the first time."""
    successor = successor_of(row)
    sobject = _CONTACT.get(fate_of(row), link.row.sobject)
    kept = fate_of(row) is Fate.MERGED
    new = RecordLink(
        connection_id=verdicts.context.connection_id,
        remote_id=successor,
        sobject=sobject,
        is_leading=False,
        layout_id=link.row.layout_id if kept else None,
        base_remote=link.row.base_remote if kept else None,
        base_local=link.row.base_local if kept else None,
        opted_out=link.row.opted_out if kept else None,
        created_run_id=verdicts.context.run_id,
        created_at=verdicts.context.now,
    )
    verdicts.desk.add_link(LinkDraft(new, link.record, is_new=True))
    tell_by_itself(link.record)


def _merge(verdicts: Verdicts, row: RemoteRow, other: RecordDraft, survivor: RecordDraft) -> None:
    """The winner's record takes in the other: blanks are filled, consent is the strictest, nothing is dropped. One
    whose rows are all gone lives on with those of the other."""
    if other.row.is_active and other.has_live_link and not survivor.has_live_link:
        survivor.flag(is_active=True)
    for link in list(other.links):
        link.record = survivor
        link.is_changed = True
        # What was agreed with another record says nothing of this one.
        link.put(base_remote=None, base_local=None, layout_id=None)
        survivor.links.append(link)
    other.links.clear()
    taken = merged_values(survivor.values, other.values)
    report = {name: {"before": text, "after": "", "rule": "merged"} for name, text in other.values.items() if text}
    for name, text in taken.items():
        survivor.shown[name] = {"before": "", "after": text, "rule": "merged"}
    if other.values.get("email"):
        other.take({"email": ""})  # its address is free now for the one that stays; the report below keeps it
    survivor.take(taken)
    survivor.to_queue |= {*taken, LEADING_ROW}
    if isinstance(survivor.row, Person):
        survivor.to_queue |= AUTOMATIC
    if getattr(other.row, OPT_OUT_FIELD, False):
        survivor.flag(email_opt_out=True)
    if getattr(survivor.row, OPT_OUT_FIELD, False):
        survivor.to_queue.add(OPT_OUT_FIELD)
    other.flag(is_active=False)
    other.elect()
    survivor.elect()
    verdicts.merges.append(Merge(survivor, other))
    verdicts.entry(row, other, EntryAction.MERGED, fate_of(row), report)
    verdicts.entry(row, survivor, EntryAction.MERGED, fate_of(row), survivor.shown or None)
