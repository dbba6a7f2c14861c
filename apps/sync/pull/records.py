"""Rows that the decider judges one by one: linked and changed, matched by key, converted, or out of the ordinary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import F

from apps.audience.fields import CUSTOM_PREFIX, Kind, local_field
from apps.audience.models import Company, Opportunity, Owner, Person, PersonWord, Record, Source
from apps.domain.baseline import pack, unpack
from apps.domain.consent import decide_opt_out
from apps.domain.decider import Baseline, BlankPolicy, FieldDecision, decide_fields
from apps.domain.failures import Category
from apps.domain.filters import evaluate
from apps.domain.leading import LinkFacts, leading_link
from apps.domain.mapping import FieldRule, Step
from apps.domain.values import Unreadable, canonical, datetime_text, domain_of, further_words
from apps.field_mappings.models import BaselineLayout
from apps.sync.models import EntryAction, RecordLink, RunEntry
from apps.sync_errors.services import ErrorFact

MODELS: dict[str, type[Record]] = {"person": Person, "company": Company, "opportunity": Opportunity}


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for a whole page."""

    connection_id: int
    run_id: int
    step: Step
    layout: BaselineLayout
    blanks: BlankPolicy
    takes_opt_out: bool
    now: datetime


@dataclass
class Tally:
    """What became of the rows; each row is counted once."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    errors: list[ErrorFact] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    entries: list[RunEntry] = field(default_factory=list)

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


@dataclass(frozen=True, slots=True)
class RemoteRow:
    """One row as Salesforce gave it, in canonical text; what cannot be read is unknown and named."""

    remote_id: str
    values: dict[str, str | None]
    unreadable: tuple[str, ...]
    stamp: datetime | None
    created_at: datetime | None
    opted_out: bool | None
    converted_contact: str


def read_row(raw: Mapping[str, str | None], rules: Sequence[FieldRule]) -> RemoteRow:
    """Canonicalise one staged row."""
    values: dict[str, str | None] = {}
    unreadable = []
    for rule in rules:
        try:
            text = raw.get(rule.remote_field)
            values[rule.remote_field] = canonical(rule.remote_type, text or "", scale=rule.scale)
        except Unreadable:
            values[rule.remote_field] = None
            unreadable.append(rule.remote_field)
    opt_out = raw.get("HasOptedOutOfEmail")
    return RemoteRow(
        remote_id=raw["Id"] or "",
        values=values,
        unreadable=tuple(unreadable),
        stamp=_moment(raw.get("SystemModstamp")),
        created_at=_moment(raw.get("CreatedDate")),
        opted_out=None if opt_out is None else opt_out.lower() == "true",
        converted_contact=(raw.get("ConvertedContactId") or "") if raw.get("IsConverted") == "true" else "",
    )


def _moment(raw: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(datetime_text(raw)) if raw else None
    except Unreadable:
        return None


class PageOfRecords:
    """Decides and applies rows of one page, with what they need loaded beforehand."""

    def __init__(self, context: Context, rows: Sequence[RemoteRow]) -> None:
        self.context = context
        self.step = context.step
        self.model = MODELS[context.step.local_type]
        self.key = f"{context.step.local_type}_id"
        self.tally = Tally()
        ids = [row.remote_id for row in rows]
        links = RecordLink.objects.filter(connection_id=context.connection_id, remote_id__in=ids)
        self.links: dict[str, RecordLink] = {link.remote_id: link for link in links}
        self.layouts = {
            layout.pk: layout.keys
            for layout in BaselineLayout.objects.filter(id__in={link.layout_id for link in self.links.values()})
        }
        self.references = self._load_references(rows)

    def apply(self, row: RemoteRow) -> None:
        """Decide one row and carry it out."""
        if self.step.inbound_filter is not None and not evaluate(self.step.inbound_filter, row.values):
            self.tally.skip("filtered")
            return
        link = self.links.get(row.remote_id)
        try:
            with transaction.atomic():
                if link is not None:
                    self._linked(row, link)
                else:
                    self._unlinked(row)
        except IntegrityError:
            self._fail(row, Category.IDENTITY_TAKEN, "Another person here has this e-mail address.")
            return
        except DataError:
            self._fail(row, Category.INVALID_VALUE, "A value does not fit its field here.")
            return
        for name in row.unreadable:
            self.tally.errors.append(
                self._error(row, Category.UNREADABLE_VALUE, f"The value of {name} cannot be read.", name)
            )
        if not row.unreadable:
            self.tally.resolved.append(row.remote_id)

    # -- linked -----------------------------------------------------------------------------------------------

    def _linked(self, row: RemoteRow, link: RecordLink) -> None:
        record = self.model.objects.select_for_update().get(id=getattr(link, self.key))
        if link.remote_stamp and row.stamp and row.stamp < link.remote_stamp:
            self.tally.skip("superseded")
            return
        if row.converted_contact and self._follow_conversion(row, link, record):
            return
        changes = self._consent(row, record)
        if not record.is_active:
            changes["is_active"] = True
        if not link.is_leading:
            self._settle(row, link, record, changes, {})
            return
        base = unpack(self.step.rules, self.layouts.get(link.layout_id or 0, []), link.base_remote, link.base_local)
        self._settle(row, link, record, changes, self._decide(row, record, base))

    def _decide(self, row: RemoteRow, record: Record, base: Baseline) -> dict[str, FieldDecision]:
        return decide_fields(
            self.step,
            base=base,
            remote=self._known(row),
            local={rule.local_field: self._local_text(record, rule.local_field) for rule in self.step.rules},
            blanks=self.context.blanks,
        )

    def _known(self, row: RemoteRow) -> dict[str, str | None]:
        """The row's values; a reference to a record that is not here is unknown."""
        known = dict(row.values)
        for rule in self.step.rules:
            target = local_field(self.step.local_type, rule.local_field)
            value = known.get(rule.remote_field)
            if target.kind is Kind.REFERENCE and value and (target.refers_to, value) not in self.references:
                known[rule.remote_field] = None
        return known

    def _settle(
        self,
        row: RemoteRow,
        link: RecordLink,
        record: Record,
        changes: dict[str, Any],
        decisions: dict[str, FieldDecision],
        action: EntryAction = EntryAction.UPDATED,
    ) -> None:
        """Write the record, its link with the new baseline, and the entry that tells why."""
        shown: dict[str, Any] = {name: _shown(record, name, value) for name, value in changes.items()}
        custom = dict(record.custom)
        for rule in self.step.rules:
            decision = decisions.get(rule.key)
            if decision is None or decision.local is None:
                continue
            shown[rule.local_field] = {
                "before": self._local_text(record, rule.local_field),
                "after": decision.local,
                "rule": decision.reason,
                **({"lost": decision.lost} if decision.lost is not None else {}),
            }
            self._put(changes, custom, rule, decision.local)
        if custom != record.custom:
            changes["custom"] = custom
        version = record.version
        if changes:
            version += 1
            self.model.objects.filter(id=record.pk).update(
                **changes, version=F("version") + 1, updated_at=self.context.now
            )
        self._store_link(row, link, version, decisions)
        if shown or action is not EntryAction.UPDATED:
            self.tally.updated += 1
            self._entry(row, record.pk, action, shown)
        else:
            self.tally.unchanged += 1

    def _store_link(self, row: RemoteRow, link: RecordLink, version: int, decisions: dict[str, FieldDecision]) -> None:
        fields: dict[str, Any] = {
            "is_live": True,
            "remote_stamp": row.stamp or link.remote_stamp,
            "local_version": version,
            "pulled_at": self.context.now,
        }
        if decisions:
            packed = pack(self.step.rules, {key: decision.base for key, decision in decisions.items()})
            fields["base_remote"], fields["base_local"] = packed
            fields["layout_id"] = self.context.layout.pk
        RecordLink.objects.filter(connection_id=link.connection_id, remote_id=link.remote_id).update(**fields)

    # -- unlinked ---------------------------------------------------------------------------------------------

    def _unlinked(self, row: RemoteRow) -> None:
        """Moves first, then the key field, then create."""
        candidates = self._candidates(row)
        if len(candidates) > 1:
            listed = ", ".join(str(candidate) for candidate in candidates[:5])
            self._fail(row, Category.AMBIGUOUS_MATCH, f"Several records fit: {listed}.")
        elif candidates:
            self._join(row, candidates[0])
        elif self.step.create_local:
            self._create(row)
        else:
            self.tally.skip("creating_is_off")

    def _candidates(self, row: RemoteRow) -> list[Record]:
        if row.converted_contact:
            contact = RecordLink.objects.filter(
                connection_id=self.context.connection_id, remote_id=row.converted_contact, person_id__isnull=False
            ).first()
            if contact is not None:
                return list(Person.objects.filter(id=contact.person_id))
        rule = self.step.key_rule
        value = (row.values.get(rule.remote_field) or "") if rule else ""
        if not rule or not value:
            return []
        if self.step.local_type == "person":
            return list(Person.objects.filter(email_key=value.lower()))
        domain = domain_of(value)
        if self.step.local_type == "company" and domain:
            return list(Company.objects.filter(domain=domain, leading_sobject="")[:5])
        return []

    def _join(self, row: RemoteRow, record: Record) -> None:
        """A second row for a record that is here: link it, and elect anew which link leads."""
        link = self._new_link(row, record.pk, is_leading=False)
        leads = self._elect(record)
        decisions: dict[str, FieldDecision] = {}
        if leads == row.remote_id and self.step.update_local:
            decisions = self._decide(row, record, Baseline({}, {}))
        changes = self._consent(row, record)
        if not record.is_active:
            changes["is_active"] = True
        self._settle(row, link, record, changes, decisions, EntryAction.LINKED)

    def _create(self, row: RemoteRow) -> None:
        values: dict[str, Any] = {}
        custom: dict[str, str] = {}
        known = self._known(row)
        for rule in self.step.rules:
            text = known.get(rule.remote_field)
            if text is not None:
                self._put(values, custom, rule, rule.inward(text))
        if row.opted_out and self.context.takes_opt_out and self.step.local_type == "person":
            values["email_opt_out"] = True
        record = self.model.objects.create(
            **values,
            custom=custom,
            source=Source.SALESFORCE,
            leading_sobject=self.step.sobject,
            leading_remote_id=row.remote_id,
            created_at=self.context.now,
            updated_at=self.context.now,
        )
        if self.step.local_type == "person":
            _index_words(record)
        link = self._new_link(row, record.pk, is_leading=True)
        agreed = {
            rule.key: (text, None if text is None else rule.inward(text))
            for rule in self.step.rules
            for text in [known.get(rule.remote_field)]
        }
        link.base_remote, link.base_local = pack(self.step.rules, agreed)
        link.layout_id, link.local_version = self.context.layout.pk, 1
        link.save()
        self.tally.created += 1
        self._entry(row, record.pk, EntryAction.CREATED, None)

    def _new_link(self, row: RemoteRow, record_id: int, *, is_leading: bool) -> RecordLink:
        link: RecordLink = RecordLink.objects.create(
            connection_id=self.context.connection_id,
            remote_id=row.remote_id,
            sobject=self.step.sobject,
            is_leading=is_leading,
            remote_stamp=row.stamp,
            remote_created_at=row.created_at,
            pulled_at=self.context.now,
            created_run_id=self.context.run_id,
            created_at=self.context.now,
            **{self.key: record_id},
        )
        return link

    def _elect(self, record: Record) -> str:
        """Elect the leading link of a record and write it down; answers its remote id."""
        links = RecordLink.objects.filter(connection_id=self.context.connection_id, **{self.key: record.pk})
        facts = [LinkFacts(k.remote_id, k.sobject, k.remote_created_at, k.is_live) for k in links]
        chosen = leading_link(facts)
        if chosen is None:
            return ""
        links.exclude(remote_id=chosen.remote_id).filter(is_leading=True).update(is_leading=False)
        links.filter(remote_id=chosen.remote_id).update(is_leading=True)
        self.model.objects.filter(id=record.pk).update(
            leading_sobject=chosen.sobject, leading_remote_id=chosen.remote_id
        )
        return chosen.remote_id

    def _follow_conversion(self, row: RemoteRow, link: RecordLink, record: Record) -> bool:
        """A converted lead: its person is the contact's; nothing is exchanged with the lead any more."""
        contact = RecordLink.objects.filter(
            connection_id=self.context.connection_id, remote_id=row.converted_contact
        ).first()
        if contact is None or contact.person_id == record.pk:
            return False
        RecordLink.objects.filter(connection_id=link.connection_id, remote_id=link.remote_id).update(
            person_id=contact.person_id, is_leading=False, remote_stamp=row.stamp, pulled_at=self.context.now
        )
        self._elect(Person.objects.get(id=contact.person_id))
        others = RecordLink.objects.filter(connection_id=link.connection_id, person_id=record.pk).exists()
        if not others:
            self.model.objects.filter(id=record.pk).update(
                is_active=False, leading_sobject="", leading_remote_id="", version=F("version") + 1
            )
        self.tally.updated += 1
        self._entry(row, contact.person_id, EntryAction.MOVED, None)
        return True

    # -- small things -----------------------------------------------------------------------------------------

    def _consent(self, row: RemoteRow, record: Record) -> dict[str, Any]:
        if not isinstance(record, Person):
            return {}
        decision = decide_opt_out(
            local=record.email_opt_out, remote=row.opted_out, takes_remote=self.context.takes_opt_out
        )
        return {"email_opt_out": True} if decision.local else {}

    def _load_references(self, rows: Sequence[RemoteRow]) -> dict[tuple[str, str], int]:
        wanted: dict[str, set[str]] = {}
        for rule in self.step.rules:
            target = local_field(self.step.local_type, rule.local_field)
            if target.kind is Kind.REFERENCE:
                wanted.setdefault(target.refers_to, set()).update(
                    value for row in rows if (value := row.values.get(rule.remote_field))
                )
        found: dict[tuple[str, str], int] = {}
        companies = RecordLink.objects.filter(
            connection_id=self.context.connection_id,
            remote_id__in=wanted.get("company", set()),
            company_id__isnull=False,
        )
        for remote_id, record_id in companies.values_list("remote_id", "company_id"):
            found["company", remote_id] = record_id
        owners = Owner.objects.filter(remote_id__in=wanted.get("owner", set()))
        for remote_id, owner_id in owners.values_list("remote_id", "id"):
            found["owner", remote_id] = owner_id
        return found

    def _local_text(self, record: Record, name: str) -> str:
        """A record's value in canonical text."""
        if name.startswith(CUSTOM_PREFIX):
            return str(record.custom.get(name.removeprefix(CUSTOM_PREFIX), ""))
        target = local_field(self.step.local_type, name)
        if target.kind is Kind.REFERENCE:
            return self._reference_text(record, target.refers_to)
        value = getattr(record, target.column)
        if value is None:
            return ""
        if isinstance(value, Decimal):
            text = format(value, "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        if isinstance(value, date):
            return value.isoformat()
        text = str(value)
        return text.lower() if target.kind is Kind.EMAIL else text

    def _reference_text(self, record: Record, refers_to: str) -> str:
        if refers_to == "owner":
            return record.owner.remote_id if record.owner_id and record.owner else ""
        company = getattr(record, "company", None)
        return str(company.leading_remote_id) if company is not None else ""

    def _put(self, values: dict[str, Any], custom: dict[str, str], rule: FieldRule, text: str) -> None:
        """Put a canonical value into the record's own type."""
        if rule.local_field.startswith(CUSTOM_PREFIX):
            custom[rule.local_field.removeprefix(CUSTOM_PREFIX)] = text
            return
        target = local_field(self.step.local_type, rule.local_field)
        values[target.column] = self._typed(target.kind, target.refers_to, text)
        if self.step.local_type == "company" and target.name == "website":
            values["domain"] = domain_of(text)

    def _typed(self, kind: Kind, refers_to: str, text: str) -> Any:
        match kind:
            case Kind.REFERENCE:
                return self.references.get((refers_to, text))
            case Kind.INTEGER:
                return int(Decimal(text)) if text else None
            case Kind.DECIMAL:
                return Decimal(text) if text else None
            case Kind.DATE:
                return date.fromisoformat(text) if text else None
            case _:
                return text

    def _entry(self, row: RemoteRow, record_id: int | None, action: EntryAction, shown: dict[str, Any] | None) -> None:
        self.tally.entries.append(
            RunEntry(
                run_id=self.context.run_id,
                sobject=self.step.sobject,
                remote_id=row.remote_id,
                local_type=self.step.local_type,
                local_id=record_id,
                action=action,
                changes=shown or None,
                at=self.context.now,
            )
        )

    def _error(self, row: RemoteRow, category: Category, message: str, name: str = "") -> ErrorFact:
        label = " ".join(filter(None, (row.values.get(f) for f in ("FirstName", "LastName", "Name", "Email"))))
        return ErrorFact(
            category=category,
            message=message,
            sobject=self.step.sobject,
            remote_id=row.remote_id,
            local_type=self.step.local_type,
            record_label=label,
            field=name,
        )

    def _fail(self, row: RemoteRow, category: Category, message: str) -> None:
        self.tally.failed += 1
        self.tally.errors.append(self._error(row, category, message))
        self._entry(row, None, EntryAction.FAILED, None)


def _shown(record: Record, name: str, value: Any) -> dict[str, str]:
    """An entry's line for what is decided outside the mappings: consent, and a record that is back."""
    rule = "consent" if name == "email_opt_out" else "restored"
    return {"before": str(getattr(record, name)).lower(), "after": str(value).lower(), "rule": rule}


def _index_words(person: Record) -> None:
    assert isinstance(person, Person)
    further = further_words(person.first_name) | further_words(person.last_name)
    PersonWord.objects.bulk_create([PersonWord(word=word, person_id=person.pk) for word in sorted(further)])
