"""The mapping table: change several rows, add a mapping, translate values (C06 to C11)."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from apps.audience.fields import CUSTOM_PREFIX, LocalField
from apps.audience.services.custom_fields import BadField, create_custom_field
from apps.console.mappings.addresses import place_at, place_of
from apps.console.mappings.pages import (
    Outcome,
    address_of,
    editable_step,
    object_response,
    posted_version,
    shared_context,
    the_connection,
)
from apps.console.mappings.shown import SHORTHANDS, WAYS, WINNERS, mapping_row, step_card
from apps.domain.mapping import Way, Winner
from apps.domain.ports import FieldSchema
from apps.field_mappings.catalogue import label_of, local_fields
from apps.field_mappings.compatibility import (
    kind_for,
    kind_words,
    outbound_refusal,
    pair_refusal,
    type_words,
)
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.field_mappings.services.editing import Moved, Refused
from apps.field_mappings.services.mappings import (
    PULL,
    PUSH,
    TWO_WAY,
    Saved,
    Ways,
    add_mapping,
    change_mappings,
    remove_mappings,
    set_value_map,
)
from apps.integrations.metadata import cached_schema
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_BULK = {"push": PUSH, "pull": PULL, "two_way": TWO_WAY, "off": (Way.OFF, Way.OFF)}
_NEW = "new"
_SPARE_PAIRS = 3


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def save_table(request: MemberRequest, step_id: int) -> HttpResponse:
    """Save the ways of all rows, or do one thing to the selected ones."""
    step = editable_step(step_id)
    posted = dict(_posted(request))
    chosen = {int(text) for text in request.POST.getlist("mapping") if text.isascii() and text.isdecimal()}
    asked = request.POST.get("choice", "") or "nothing" if "apply" in request.POST else ""
    quick, _, number = request.POST.get("quick", "").partition(":")
    if quick:  # a shorthand of one row, without JavaScript
        asked, chosen = quick, {int(number)} if number.isascii() and number.isdecimal() else set()
    version = posted_version(request)
    try:
        if asked and not chosen:
            raise Refused("Select at least one mapping first.")
        if asked == "remove":
            saved = remove_mappings(step=step, actor=request.user, seen_version=version, ids=chosen)
        else:
            changes = _with_shorthand(posted, asked, chosen)
            saved = change_mappings(step=step, actor=request.user, seen_version=version, changes=changes)
    except Refused as refused:
        place = place_of(step.sobject)
        typed = {number: (ways.way_in.value, ways.way_out.value, ways.winner.value) for number, ways in posted.items()}
        return object_response(request, place_at(place.slug if place else ""), outcome=Outcome(refused, step.pk, typed))
    _tell(request, saved, "removed" if asked == "remove" else "saved")
    return redirect(address_of(step, saved=str(step.pk)) if saved.changed else address_of(step))


def _posted(request: MemberRequest) -> Iterator[tuple[int, Ways]]:
    for key in request.POST:
        name, _, number = key.partition("-")
        if name != "in" or not number.isascii() or not number.isdecimal():
            continue
        try:
            yield (
                int(number),
                Ways(
                    Way(request.POST.get(f"in-{number}", "")),
                    Way(request.POST.get(f"out-{number}", "")),
                    Winner(request.POST.get(f"winner-{number}", "")),
                ),
            )
        except ValueError:
            continue


def _with_shorthand(posted: dict[int, Ways], asked: str, chosen: set[int]) -> dict[int, Ways]:
    if not asked:
        return posted
    ways = _BULK.get(asked)
    if ways is None:
        raise Refused("Choose what to do with the selected mappings.")
    return {number: Ways(*ways, posted[number].winner) for number in chosen if number in posted}


def _tell(request: MemberRequest, saved: Saved, verb: str) -> None:
    if not saved.changed:
        messages.info(request, "Nothing was changed.")
        return
    messages.success(request, f"{saved.changed} mapping{'' if saved.changed == 1 else 's'} {verb}.")
    if saved.missing:
        words = ", ".join(f"“{label}”" for label in saved.missing)
        messages.warning(
            request, f"“Create in Salesforce” was switched off: {words} must be mapped to Salesforce first."
        )


# -- add --------------------------------------------------------------------------------------------------------


@member_page(Right.EDIT_MAPPINGS)
def add(request: MemberRequest, step_id: int) -> HttpResponse:
    """Choose a field on each side and how it flows."""
    step = editable_step(step_id)
    problem, status = "", 200
    if request.method == "POST" and "look" not in request.POST:
        try:
            with transaction.atomic():
                made = _add(request, step)
        except Refused as refused:
            problem, status = str(refused), 409 if isinstance(refused, Moved) else 422
            step.refresh_from_db()
        else:
            schema = cached_schema(the_connection(), step.sobject)
            label = schema.fields[made.remote_field].label if schema else made.remote_field
            ours = label_of(local_fields(step.local_type), made.local_field)
            messages.success(request, f"“{label}” is mapped to “{ours}”.")
            if "another" in request.POST:
                return redirect("console:mapping-add", step.pk)
            return redirect(address_of(step, saved=str(step.pk)))
    return render(request, "console/mappings/add.html", _add_context(request, step, problem), status=status)


def _add(request: MemberRequest, step: SyncStep) -> FieldMapping:
    try:
        ways = Ways(
            Way(request.POST.get("way_in", "")),
            Way(request.POST.get("way_out", "")),
            Winner(request.POST.get("winner", "")),
        )
    except ValueError as error:
        raise Refused("Choose how the field is synced.") from error
    remote, local = request.POST.get("remote_field", ""), request.POST.get("local_field", "")
    if local == _NEW:
        local = _new_field(request, step, remote)
    return add_mapping(
        step=step,
        actor=request.user,
        seen_version=posted_version(request),
        remote_field=remote,
        local_field=local,
        ways=ways,
    )


def _new_field(request: MemberRequest, step: SyncStep, remote: str) -> str:
    """Make a custom field of the type that fits the field of Salesforce; nothing stays of it if the mapping fails."""
    schema = cached_schema(the_connection(), step.sobject)
    if schema is None or remote not in schema.fields:
        raise Refused("Choose a field of Salesforce first.")
    theirs = schema.fields[remote]
    kind = kind_for(theirs)
    try:
        made = create_custom_field(
            record_type=step.local_type,
            label=request.POST.get("new_label", "").strip() or theirs.label,
            kind=kind.value,
            user=request.user,
            options=[value for value, _ in theirs.picklist],
        )
    except BadField as bad:
        raise Refused(str(bad)) from bad
    return f"{CUSTOM_PREFIX}{made.key}"


def _add_context(request: MemberRequest, step: SyncStep, problem: str) -> dict[str, Any]:
    connection = the_connection()
    schema = cached_schema(connection, step.sobject)
    fields = local_fields(step.local_type)
    data = request.POST if request.method == "POST" else request.GET
    remote = schema.fields.get(data.get("remote_field", "")) if schema else None
    mapped_in = set(FieldMapping.objects.filter(step=step).exclude(way_in="off").values_list("local_field", flat=True))
    mapped = set(FieldMapping.objects.filter(step=step).values_list("remote_field", flat=True))
    default_out = "overwrite" if step.direction != "pull" and remote and not remote.calculated else "off"
    return {
        **shared_context(request, connection, place_of(step.sobject)),
        "step": step,
        "card": step_card(step, 0),
        "problem": problem,
        "remote": remote,
        "remote_type": type_words(remote.type) if remote else "",
        "picklist": remote.picklist if remote else (),
        "remote_fields": _remote_options(schema.fields if schema else {}, mapped),
        "local_fields": _local_options(fields, remote, mapped_in),
        "chosen": {
            "remote": data.get("remote_field", ""),
            "local": data.get("local_field", ""),
            "new_label": data.get("new_label", "") or (remote.label if remote else ""),
            "way_in": data.get("way_in", "overwrite" if step.direction != "push" else "off"),
            "way_out": data.get("way_out", default_out),
            "winner": data.get("winner", "remote"),
        },
        "new_kind": kind_for(remote).label if remote else "",
        "ways": WAYS,
        "winners": WINNERS,
        "shorthands": SHORTHANDS,
    }


def _remote_options(fields: dict[str, FieldSchema], mapped: set[str]) -> list[dict[str, str]]:
    """Fields of Salesforce by label; those that are in use already say so."""
    options = []
    for one in sorted(fields.values(), key=lambda field: (field.label.lower(), field.name)):
        if one.is_compound:
            continue
        facts = [type_words(one.type)]
        facts += ["read-only"] if one.calculated or not (one.updateable or one.createable) else []
        facts += ["required"] if one.is_required_on_create else []
        facts += ["mapped already"] if one.name in mapped else []
        options.append({"value": one.name, "label": f"{one.label} ({one.name})", "hint": ", ".join(facts)})
    return options


def _local_options(
    fields: dict[str, LocalField], remote: FieldSchema | None, mapped_in: set[str]
) -> list[dict[str, str]]:
    """Our fields by label; those that do not fit the chosen field of Salesforce say why and cannot be chosen."""
    options = []
    for name, one in sorted(fields.items(), key=lambda item: item[1].label.lower()):
        refused = pair_refusal(remote, one) if remote else ""
        facts = [kind_words(one)]
        facts += ["mapped already"] if name in mapped_in else []
        facts += ["inbound only"] if remote and not refused and outbound_refusal(remote, one) else []
        options.append({"value": name, "label": one.label, "hint": refused or ", ".join(facts), "refused": refused})
    return options


# -- values -----------------------------------------------------------------------------------------------------


@member_page(Right.EDIT_MAPPINGS)
def values(request: MemberRequest, mapping_id: int) -> HttpResponse:
    """Translate values of a picklist, each side in its own words."""
    mapping = load(FieldMapping, mapping_id)
    step = editable_step(mapping.step_id)
    problem, status = "", 200
    pairs = list(mapping.value_map.items())
    if request.method == "POST":
        typed = list(zip(request.POST.getlist("theirs"), request.POST.getlist("ours"), strict=False))
        pairs = [(theirs, ours) for theirs, ours in typed if ours.strip()]
        try:
            set_value_map(mapping=mapping, actor=request.user, seen_version=posted_version(request), pairs=pairs)
        except Refused as refused:
            problem, status = str(refused), 409 if isinstance(refused, Moved) else 422
            step.refresh_from_db()
        else:
            messages.success(request, "The translation is saved.")
            return redirect(address_of(step, saved=str(step.pk)))
    return render(
        request, "console/mappings/values.html", _values_context(request, mapping, step, pairs, problem), status=status
    )


def _values_context(
    request: MemberRequest, mapping: FieldMapping, step: SyncStep, pairs: list[tuple[str, str]], problem: str
) -> dict[str, Any]:
    connection = the_connection()
    schema = cached_schema(connection, step.sobject)
    fields = local_fields(step.local_type)
    remote = schema.fields.get(mapping.remote_field) if schema else None
    local = fields.get(mapping.local_field)
    offered = list(remote.picklist) if remote else []
    known = {theirs for theirs, _ in pairs}
    rows = [pair for pair in pairs if any(pair)] + [(value, "") for value, _ in offered if value not in known]
    labels = dict(offered)
    shown = [{"theirs": theirs, "ours": ours, "label": labels.get(theirs, "")} for theirs, ours in rows]
    if not (remote and remote.restricted):
        shown += [{"theirs": "", "ours": "", "label": ""}] * _SPARE_PAIRS
    return {
        **shared_context(request, connection, place_of(step.sobject)),
        "step": step,
        "mapping": mapping,
        "row": mapping_row(mapping, step, schema, fields),
        "pairs": shown,
        "is_restricted": bool(remote and remote.restricted),
        "options": local.options if local else (),
        "problem": problem,
    }
