"""The desk: everything that a batch of rows is judged with, loaded by a handful of queries, records locked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from apps.audience.fields import CUSTOM_PREFIX, CUSTOM_TYPE, RECORD_COLUMNS, Kind, kind_of, local_field
from apps.audience.models import Company, CustomRecord, Person, Record
from apps.audience.services.erasures import erased_among
from apps.domain.filters import rules_of
from apps.domain.mapping import FieldRule, Step
from apps.domain.moves import successor_of
from apps.domain.reconcile import Intention
from apps.domain.rows import RemoteRow
from apps.domain.values import domain_of
from apps.outbox.models import OutboundChange
from apps.sync.drafts import Context, Layouts, LinkDraft, RecordDraft
from apps.sync.linked import links_of
from apps.sync.local import References, records_of, text_of
from apps.sync.models import MatchChoice, RecordLink, WriteIntent

OPT_OUT_FIELD = "email_opt_out"

MADE_WITHIN = timedelta(seconds=30)
"""How far apart the moments of an intent and of the row that it made may seem to lie, by two clocks."""


class Desk:
    """Links and records by id, as they stand while the batch is judged."""

    def __init__(self, context: Context, rows: Sequence[RemoteRow], record_ids: Iterable[int] = ()) -> None:
        self.context = context
        self._key = RECORD_COLUMNS[context.local_type]
        self.records: dict[int, RecordDraft] = {}
        self.links: dict[str, LinkDraft] = {}
        self.new_records: list[RecordDraft] = []
        self.references = References(context.connection_id)
        self._by_email: dict[str, RecordDraft] = {}
        self._by_domain: dict[str, list[RecordDraft]] = defaultdict(list)
        self._own_keys: dict[tuple[str, str], list[RecordDraft]] = defaultdict(list)
        self._erased = self._find_erased(rows)
        ids = {row.remote_id for row in rows} | {successor_of(row) for row in rows} - {""}
        found = self._links_with(ids)
        known = {link.remote_id for link in found}
        wanted = {getattr(link, self._key) for link in found} | set(record_ids)
        strangers = [row for row in rows if row.remote_id not in known]
        wanted |= self._ids_of_candidates(strangers)
        self._choices = self._load_choices(strangers)
        wanted |= {choice.local_id for choice in self._choices.values() if choice.local_id is not None}
        self._load_records(wanted)
        self.layouts = Layouts(link.row.layout_id for link in self.links.values())
        self._load_waiting(wanted)
        self._load_intents(wanted)
        self._load_references(rows)

    def link(self, remote_id: str) -> LinkDraft | None:
        """The link of a row."""
        return self.links.get(remote_id)

    def chosen(self, row: RemoteRow) -> tuple[bool, RecordDraft | None]:
        """Whether somebody has said which record an unlinked row is, and that record; None: one of its own."""
        choice = self._choices.get(row.remote_id)
        if choice is None or (choice.local_id is not None and choice.local_id not in self.records):
            return False, None
        return True, self.records[choice.local_id] if choice.local_id is not None else None

    def candidates(self, row: RemoteRow, step: Step) -> list[RecordDraft]:
        """Records that an unlinked row may be: by external id, else by the step's key field."""
        named = self._named_by(row)
        if named is not None:
            return [self.records[named]] if named in self.records else []
        rule = step.key_rule
        value = (row.values.get(rule.remote_field) or "") if rule else ""
        if not value:
            return []
        if self.context.local_type == "person":
            found = self._by_email.get(value.lower())
            return [found] if found is not None else []
        if self.context.local_type == "company":
            return [draft for draft in self._by_domain.get(domain_of(value), []) if not draft.has_live_link]
        assert rule is not None
        return [draft for draft in self._own_keys.get(_own_key(rule, value), []) if not draft.has_live_link]

    def add_record(self, draft: RecordDraft) -> None:
        """Take in a record that is made in this batch, so that later rows of the batch find it."""
        self.new_records.append(draft)
        self._index(draft)

    def add_link(self, link: LinkDraft) -> None:
        """Take in a link that is made in this batch."""
        link.record.links.append(link)
        self.links[link.row.remote_id] = link

    def texts(self, record: Record, names: Iterable[str]) -> dict[str, str]:
        """Values of a record in canonical text."""
        return {name: text_of(record, self.context.local_type, name, self.references) for name in names}

    # -- loading ----------------------------------------------------------------------------------------------

    def _links_with(self, remote_ids: set[str]) -> list[RecordLink]:
        return list(
            RecordLink.objects.filter(
                connection_id=self.context.connection_id, remote_id__in=remote_ids, **{f"{self._key}__isnull": False}
            )
        )

    def _load_choices(self, rows: Sequence[RemoteRow]) -> dict[str, MatchChoice]:
        if not rows:
            return {}
        found = MatchChoice.objects.filter(
            connection_id=self.context.connection_id,
            local_type=self.context.local_type,
            remote_id__in=[row.remote_id for row in rows],
        )
        return {choice.remote_id: choice for choice in found}

    def _named_by(self, row: RemoteRow) -> int | None:
        prefix, _, number = row.external_id.rpartition("-")
        if prefix and prefix == self.context.external_prefix and number.isdigit():
            return int(number)
        return None

    def _key_rules(self) -> list[FieldRule]:
        return [rule for step in self.context.steps for rule in [step.key_rule] if rule is not None]

    def _ids_of_candidates(self, rows: Sequence[RemoteRow]) -> set[int]:
        named = {number for row in rows if (number := self._named_by(row)) is not None}
        keys = {row.values.get(rule.remote_field) or "" for row in rows for rule in self._key_rules()} - {""}
        if self.context.local_type == "person" and keys:
            emails = {key.lower() for key in keys}
            named |= set(Person.objects.filter(email_key__in=emails).values_list("id", flat=True))
        elif self.context.local_type == "company" and keys:
            domains = {domain_of(key) for key in keys} - {""}
            free = Company.objects.filter(domain__in=domains, leading_sobject="")
            named |= set(free.values_list("id", flat=True)[:5000])
        elif kind_of(self.context.local_type) == CUSTOM_TYPE:
            named |= self._unlinked_by_key(rows)
        return named

    def _unlinked_by_key(self, rows: Sequence[RemoteRow]) -> set[int]:
        """Custom records without a row there yet whose key field holds what one of the rows has."""
        found: set[int] = set()
        for rule in self._key_rules():
            texts = {rule.inward(text) for row in rows if (text := row.values.get(rule.remote_field))}
            free = records_of(self.context.local_type).filter(leading_sobject="")
            if not texts:
                continue
            if rule.local_field.startswith(CUSTOM_PREFIX):
                key = KeyTextTransform(rule.local_field.removeprefix(CUSTOM_PREFIX), "custom")
                free = free.annotate(key=Lower(key)).filter(key__in={text.lower() for text in texts})
            else:
                free = free.filter(name_key__in={text.lower() for text in texts})
            found |= set(free.values_list("id", flat=True)[:5000])
        return found

    def _load_records(self, ids: set[int]) -> None:
        # Always in the order of ids, so that two batches never wait for each other.
        for row in records_of(self.context.local_type).select_for_update().filter(id__in=ids).order_by("id"):
            self.records[row.pk] = RecordDraft(row, {})
        for link in links_of(self.context.connection_id, self.context.local_type, self.records.keys()):
            draft = LinkDraft(link, self.records[getattr(link, self._key)])
            draft.record.links.append(draft)
            self.links[link.remote_id] = draft
        for record in self.records.values():
            self._index(record)

    def _index(self, draft: RecordDraft) -> None:
        row = draft.row
        if isinstance(row, Person) and row.email:
            self._by_email[row.email.lower()] = draft
        elif isinstance(row, Company) and row.domain:
            self._by_domain[row.domain].append(draft)
        elif isinstance(row, CustomRecord):
            for rule in self._key_rules():
                text = text_of(row, self.context.local_type, rule.local_field, self.references)
                self._own_keys[_own_key(rule, text)].append(draft)

    def _load_waiting(self, ids: set[int]) -> None:
        changes = OutboundChange.objects.filter(local_type=self.context.local_type, local_id__in=ids)
        for change in changes:
            draft = self.records.get(change.local_id)
            if draft is None:
                continue
            moments = {
                name: datetime.fromisoformat(fact["at"]) + self.context.clock_offset
                for name, fact in change.fields.items()
                if fact["origin"] != "reconcile"
            }
            draft.changed_at = moments
            draft.waiting = frozenset(change.fields)
            draft.is_held = change.state == "held"
            draft.opted_in_at = moments.get(OPT_OUT_FIELD)

    def _load_intents(self, ids: set[int]) -> None:
        open_ones = WriteIntent.objects.filter(
            local_type=self.context.local_type, local_id__in=ids, closed_at__isnull=True
        )
        for intent in open_ones.order_by("id"):
            draft = self.records.get(intent.local_id)
            if draft is not None:
                after = {key: (pair[0], pair[1]) for key, pair in intent.after.items()}
                opened = intent.opened_at + self.context.clock_offset - MADE_WITHIN
                known = dict(draft.intentions)
                known.setdefault(intent.remote_id, []).append(
                    Intention(after, intent.opted_out, intent.seen_stamp, None if intent.remote_id else opened)
                )
                draft.intentions = known

    def _find_erased(self, rows: Sequence[RemoteRow]) -> set[str]:
        """Ids and addresses of people who were erased. Asked first: an erasure waits for us from here on."""
        if self.context.local_type != "person":
            return set()
        return erased_among([*(row.remote_id for row in rows), *(row.values.get("Email") or "" for row in rows)])

    def is_erased(self, row: RemoteRow) -> bool:
        """True for a row that would make somebody anew who was erased."""
        return row.remote_id in self._erased or (row.values.get("Email") or "") in self._erased

    def _load_references(self, rows: Sequence[RemoteRow]) -> None:
        rules = [rule for step in self.context.steps for rule in step.rules]
        fields = {rule: local_field(self.context.local_type, rule.local_field) for rule in dict.fromkeys(rules)}
        wanted: dict[str, set[str]] = defaultdict(set)
        held: dict[str, set[int]] = defaultdict(set)
        for rule, target in fields.items():
            if target.kind is not Kind.REFERENCE:
                continue
            wanted[target.refers_to] |= {text for row in rows if (text := row.values.get(rule.remote_field))}
        names = {rule.local_field for rule in rules} | self._filtered_by()
        for target in (local_field(self.context.local_type, name) for name in names):
            if target.kind is Kind.REFERENCE:
                held[target.refers_to] |= {
                    number for r in self.records.values() if (number := getattr(r.row, target.column)) is not None
                }
        if wanted or held:
            self.references.load(wanted, held)
        for draft in self.records.values():
            draft.values = self.texts(draft.row, names)

    def _filtered_by(self) -> set[str]:
        """Fields that the filters for our records look at, mapped or not."""
        return {rule.field for step in self.context.steps for rule in rules_of(step.outbound_filter)}


def _own_key(rule: FieldRule, text: str) -> tuple[str, str]:
    """What finds a custom record: its key field, and the value without regard to case, as Salesforce compares."""
    return rule.local_field, text.lower()
