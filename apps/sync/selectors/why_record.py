"""The gates about one record: its link and step, filters, ways of its fields, errors, what waits, and the stamps."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from apps.audience.fields import CUSTOM_PREFIX, RECORD_COLUMNS, Kind, local_field, local_label
from apps.audience.models import Person, Record
from apps.domain.baseline import unpack
from apps.domain.comparisons import OPERATOR_WORDS
from apps.domain.decider import Baseline
from apps.domain.filters import Filter, Group, Rule, evaluate, rules_of
from apps.domain.mapping import FieldRule, Step, Way
from apps.domain.pushing import creating_step, may_write
from apps.domain.reconcile import step_for_row
from apps.field_mappings.models import BaselineLayout
from apps.integrations.models import Connection
from apps.outbox.selectors import ChangeState, change_of
from apps.sync.local import References, text_of
from apps.sync.models import RecordLink, Schedule, Watermark
from apps.sync.selectors.gates import Detail, Door, Gate, Verdict, moment_words, not_asked
from apps.sync_errors.selectors import live_errors_of
from apps.sync_settings.models import SyncSettings

STATE_WORDS: dict[str, str] = {
    ChangeState.WAITING: "waiting",
    ChangeState.IN_FLIGHT: "on its way",
    ChangeState.HELD: "held",
}
_WAYS = {Way.OFF: "never", Way.FILL: "only into an empty field", Way.OVERWRITE: "always"}
_STEPS = Door("console:profiles", "Open the steps")


def record_gates(connection: Connection, local_type: str, record: Record, steps: Sequence[Step]) -> list[Gate]:
    """The gates about one record, in the order in which the engine asks."""
    links = list(
        RecordLink.objects.filter(connection_id=connection.pk, **{RECORD_COLUMNS[local_type]: record.pk})[:100]
    )
    leading = next((link for link in links if link.is_leading and link.is_live), None)
    values = local_values(connection, local_type, record, steps)
    gates = [_object_gate(local_type, steps)]
    if leading is None:
        gates += [*_link_gates(record, links), *_creation_gates(connection, local_type, record, steps, bool(links))]
    else:
        mine = [step for step in steps if step.sobject == leading.sobject]
        base = _Known(leading, mine)
        step = step_for_row(mine, base.of_row)
        gates += [_step_gate(leading, mine, step), *_filter_gates(mine, step, base.of_row, values)]
        gates += _link_gates(record, links)
        if step is not None:
            packed = base.under(step)
            gates += [_ways_gate(step, local_type, packed, values), _blanks_gate(connection, step, local_type, packed)]
    gates += [_error_gate(local_type, record, links), _queue_gate(local_type, record)]
    return [*gates, _stamps_gate(connection, links, leading)]


def local_values(connection: Connection, local_type: str, record: Record, steps: Sequence[Step]) -> dict[str, str]:
    """The mapped values of a record in canonical text, as the engine reads them."""
    names = {rule.local_field for step in steps for rule in step.rules}
    names |= {rule.field for step in steps for rule in rules_of(step.outbound_filter)}
    held: dict[str, set[int]] = defaultdict(set)
    for name in names:
        target = local_field(local_type, name)
        if target.kind is Kind.REFERENCE and getattr(record, target.column) is not None:
            held[target.refers_to].add(getattr(record, target.column))
    references = References(connection.pk)
    references.load({}, held)
    return {name: text_of(record, local_type, name, references) for name in names}


def refusals_of_creation(connection: Connection, local_type: str, record: Record, steps: Sequence[Step]) -> str:
    """Why no step makes a row of an unlinked record, in words; "" where one does."""
    if not record.is_active:
        return "it is inactive."
    values = local_values(connection, local_type, record, steps)
    has_account = isinstance(record, Person) and bool(values.get("company"))
    if creating_step(steps, values, has_account=has_account) is not None:
        return ""
    makers = [step for step in steps if step.pushes and step.create_remote]
    refused = [f"{step.sobject}: {rule_words(rule, values)}" for step in makers for rule in _refusing(step, values)]
    return "; ".join(refused) + "." if refused else "no step creates records there."


def rule_words(rule: Rule, row: Mapping[str, str | None]) -> str:
    """A filter's rule that refuses, with the value that it met."""
    wanted = ", ".join(rule.values)
    held = row.get(rule.field)
    return f"{rule.field} {OPERATOR_WORDS[rule.operator]} {wanted}".strip() + f" is asked for; it is {held or 'empty'}"


def _refusing(step: Step, values: Mapping[str, str | None]) -> list[Rule]:
    return list(failing_rules(step.outbound_filter, values))


def failing_rules(tree: Filter | None, row: Mapping[str, str | None]) -> Iterator[Rule]:
    """The comparisons because of which a filter refuses a row; none where it admits it."""
    if tree is None or evaluate(tree, row):
        return
    if isinstance(tree, Group):
        for part in tree.parts:
            yield from failing_rules(part, row)
    else:
        yield tree


class _Known:
    """What is known of the remote row without asking: its values at the last agreement, under any step's rules."""

    def __init__(self, link: RecordLink, steps: Sequence[Step]) -> None:
        layout = BaselineLayout.objects.filter(id=link.layout_id).first() if link.layout_id else None
        self._link = link
        self._keys: list[str] = layout.keys if layout is not None else []
        remote = dict(zip(self._keys, link.base_remote or (), strict=False))
        self.of_row: dict[str, str | None] = {
            rule.remote_field: remote.get(rule.key) for step in steps for rule in step.rules
        }

    def under(self, step: Step) -> Baseline:
        """The baseline under a step's rules."""
        return unpack(step.rules, self._keys, self._link.base_remote, self._link.base_local)


# -- object, step, filters --------------------------------------------------------------------------------------


def _object_gate(local_type: str, steps: Sequence[Step]) -> Gate:
    title = "Its objects are synced"
    if not steps:
        finding = "No step syncs this kind of record, or nothing has been synced yet."
        return Gate("object", title, Verdict.FAILED, finding, door=_STEPS)
    names = ", ".join(dict.fromkeys(step.sobject for step in steps))
    return Gate("object", title, Verdict.PASSED, f"Steps tie it to {names}.")


def _step_gate(link: RecordLink, steps: Sequence[Step], step: Step | None) -> Gate:
    title = "A step covers it"
    if not steps:
        return Gate("step", title, Verdict.FAILED, f"No step syncs {link.sobject}.", door=_STEPS)
    if step is None:
        return Gate("step", title, Verdict.FAILED, f"No filter of a step for {link.sobject} admits its row.")
    ways = {(True, True): "both ways", (True, False): "into Syncline", (False, True): "to Salesforce"}
    details = [
        Detail("Changes in Salesforce come here", _yes(step.pulls and step.update_local)),
        Detail("Changes here go to Salesforce", _yes(step.pushes and step.update_remote)),
    ]
    finding = f"Step {step.position + 1} ({step.sobject}) carries changes {ways[step.pulls, step.pushes]}."
    return Gate("step", title, Verdict.PASSED, finding, details)


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _filter_gates(
    steps: Sequence[Step], step: Step | None, row: Mapping[str, str | None], values: Mapping[str, str | None]
) -> list[Gate]:
    inward, outward = "The filter for Salesforce's rows admits it", "The filter for our records admits it"
    gates = []
    if step is None:
        refused = [
            Detail(s.sobject, rule_words(r, row), Verdict.FAILED)
            for s in steps
            for r in failing_rules(s.inbound_filter, row)
        ]
        gates.append(Gate("filter_in", inward, Verdict.FAILED, "The row was left out when last seen.", refused))
        return [*gates, not_asked("filter_out", outward, "Without a step it is not asked.")]
    unseen = sorted({rule.field for rule in rules_of(step.inbound_filter)} - row.keys())
    if step.inbound_filter is None:
        gates.append(not_asked("filter_in", inward, "The step has no filter."))
    elif unseen:
        gates.append(not_asked("filter_in", inward, f"It looks at {', '.join(unseen)}, which is not kept here."))
    else:
        gates.append(Gate("filter_in", inward, Verdict.PASSED, "It did when last seen."))
    if not (step.pushes and step.update_remote):
        return [*gates, not_asked("filter_out", outward, "The step writes nothing to Salesforce.")]
    if may_write(step, values):
        return [*gates, Gate("filter_out", outward, Verdict.PASSED, "It may go out.")]
    refused = [Detail(step.sobject, rule_words(rule, values), Verdict.FAILED) for rule in _refusing(step, values)]
    finding = "Nothing is written there, so the sides may differ."
    return [*gates, Gate("filter_out", outward, Verdict.FAILED, finding, refused)]


def _creation_gates(
    connection: Connection, local_type: str, record: Record, steps: Sequence[Step], was_linked: bool
) -> list[Gate]:
    title = "A step makes it in Salesforce"
    if was_linked:
        return [not_asked("step", title, "It was there once; what was deleted there is not made again.")]
    refused = refusals_of_creation(connection, local_type, record, steps)
    if refused:
        return [Gate("step", title, Verdict.FAILED, refused[:1].upper() + refused[1:], door=_STEPS)]
    return [Gate("step", title, Verdict.PASSED, "It is made, or linked where it is found, with the next push.")]


# -- links ------------------------------------------------------------------------------------------------------


def _link_gates(record: Record, links: Sequence[RecordLink]) -> list[Gate]:
    active = "It is active"
    if record.is_active:
        gates = [Gate("active", active, Verdict.PASSED, "It is in use.")]
    else:
        gates = [Gate("active", active, Verdict.FAILED, "It is inactive: no row is made of it in Salesforce.")]
    title = "It is linked"
    details = [Detail(f"{link.sobject} {link.remote_id}", _link_words(link)) for link in links]
    if not links:
        return [*gates, Gate("link", title, Verdict.FAILED, "It is not linked with any row of Salesforce.")]
    if not any(link.is_live for link in links):
        finding = "Its row was deleted in Salesforce. It becomes active again when it is restored there."
        return [*gates, Gate("link", title, Verdict.FAILED, finding, details)]
    leads = next((link for link in links if link.is_leading and link.is_live), None)
    finding = f"The {leads.sobject} leads: only it exchanges values." if leads else "No link leads."
    return [*gates, Gate("link", title, Verdict.PASSED if leads else Verdict.FAILED, finding, details)]


def _link_words(link: RecordLink) -> str:
    if not link.is_live:
        return "deleted or merged there"
    return "leading" if link.is_leading else "also linked: consent and memberships only"


# -- fields -----------------------------------------------------------------------------------------------------


def _ways_gate(step: Step, local_type: str, base: Baseline, values: Mapping[str, str]) -> Gate:
    details = [
        Detail(
            f"{local_label(local_type, rule.local_field)} ({rule.remote_field})", _way_words(step, rule, base, values)
        )
        for rule in step.rules
    ]
    title = "Its fields are mapped"
    if not details:
        return Gate("ways", title, Verdict.FAILED, "The step maps no field.", door=_STEPS)
    unmapped = "A field that is not listed is not synced."
    return Gate("ways", title, Verdict.PASSED, unmapped, details)


def _way_words(step: Step, rule: FieldRule, base: Baseline, values: Mapping[str, str]) -> str:
    way_in, way_out = step.way_in(rule), step.way_out(rule)
    if way_in is Way.OVERWRITE and way_out is Way.OVERWRITE:
        winner = {"remote": "Salesforce wins", "local": "Syncline wins", "latest": "the later change wins"}[rule.winner]
        words = f"both ways; where both changed, {winner}"
    else:
        words = f"in: {_WAYS[way_in]}; out: {_WAYS[way_out]}"
    held, agreed = values.get(rule.local_field), base.of(rule.key)[1]
    if agreed is not None and held is not None and held != agreed:
        fate = "waits to go out" if way_out is Way.OVERWRITE else "Salesforce's value returns"
        words += f". Changed here since both agreed ({agreed or 'empty'} → {held or 'empty'}): {fate}"
    return words


def _blanks_gate(connection: Connection, step: Step, local_type: str, base: Baseline) -> Gate:
    title = "No empty value is held back"
    settings = SyncSettings.objects.filter(connection=connection).first()
    held = []
    for rule in step.rules:
        theirs, ours = base.of(rule.key)
        if theirs == "" and ours and step.way_in(rule) is Way.OVERWRITE and not (settings and settings.blank_in):
            held.append((rule, "empty in Salesforce; empty values are not written here"))
        if ours == "" and theirs and step.way_out(rule) is Way.OVERWRITE and not (settings and settings.blank_out):
            held.append((rule, "empty here; empty values are not written to Salesforce"))
    details = [Detail(local_label(local_type, rule.local_field), words, Verdict.FAILED) for rule, words in held]
    if not details:
        return Gate("blanks", title, Verdict.PASSED, "None is.")
    finding = "These fields are agreed to differ."
    return Gate(
        "blanks", title, Verdict.FAILED, finding, details, door=Door("console:sync-settings", "Open the sync settings")
    )


# -- errors, queue, stamps --------------------------------------------------------------------------------------


def _error_gate(local_type: str, record: Record, links: Sequence[RecordLink]) -> Gate:
    title = "No open error"
    errors = live_errors_of(local_type, record.pk, [link.remote_id for link in links])
    details = [Detail(error.field or error.sobject or "Record", error.message, Verdict.FAILED) for error in errors]
    if not details:
        return Gate("error", title, Verdict.PASSED, "No error is open about it.")
    return Gate(
        "error", title, Verdict.FAILED, "It was refused.", details, door=Door("console:errors-list", "See the errors")
    )


def _queue_gate(local_type: str, record: Record) -> Gate:
    title = "Nothing waits to go out"
    change = change_of(local_type, record.pk)
    if change is None:
        return Gate("queue", title, Verdict.PASSED, "All changes here have been sent.")
    names = ", ".join(sorted(_label(local_type, name) for name in change.fields))
    words = STATE_WORDS.get(change.state, change.state)
    finding = f"{names}: {words} since {moment_words(change.queued_at)}."
    if change.reason:
        finding += f" {change.reason}"
    return Gate("queue", title, Verdict.FAILED, finding, door=Door("console:queue-list", "Open the queue"))


def _label(local_type: str, name: str) -> str:
    if name == "email_opt_out":
        return "E-mail opt-out"
    return name.removeprefix(CUSTOM_PREFIX) if name.startswith(CUSTOM_PREFIX) else local_label(local_type, name)


def _stamps_gate(connection: Connection, links: Sequence[RecordLink], leading: RecordLink | None) -> Gate:
    title = "The last syncs covered it"
    if leading is None:
        return not_asked("stamps", title, "It is not linked.")
    mark = Watermark.objects.filter(connection_id=connection.pk, sobject=leading.sobject).first()
    plan = Schedule.objects.filter(connection_id=connection.pk).first()
    due = plan.differential_due_at if plan is not None else None
    details = [
        Detail("Last brought in from Salesforce", moment_words(leading.pulled_at)),
        Detail("Last written to Salesforce", moment_words(leading.pushed_at)),
        Detail("Its row there changed last", moment_words(leading.remote_stamp)),
        Detail("Changes are in up to", moment_words(mark.covered_to if mark else None)),
        Detail("The next sync is due", moment_words(due) if due else "when somebody starts one"),
    ]
    if mark is None:
        return Gate("stamps", title, Verdict.FAILED, f"{leading.sobject} has not been read yet.", details)
    return Gate("stamps", title, Verdict.PASSED, "What is changed there later comes with the next sync.", details)
