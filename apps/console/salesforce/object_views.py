"""The page of one sObject: its steps and mappings, read-only for now (C04 in part)."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.fields import local_field
from apps.console.salesforce.shown import object_pages, sobject_of
from apps.field_mappings.compatibility import pause_reason
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.integrations.metadata import Schema, cached_schema
from apps.integrations.services.oauth import live_connection
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.audit import audit
from apps.tenants.roles import Right

_WAYS = {"off": "Don't sync", "fill": "Fill", "overwrite": "Overwrite"}


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One mapping as the page shows it."""

    remote_label: str
    remote_field: str
    remote_type: str
    local_label: str
    way_in: str
    way_out: str
    is_key: bool
    paused_reason: str


@require_GET
@member_page(Right.VIEW)
def object_page(request: MemberRequest, name: str) -> HttpResponse:
    """The steps of one sObject with their mappings, from the cache: it opens when Salesforce is down (C18)."""
    connection = live_connection()
    sobject = sobject_of(name)
    if not sobject:
        raise Http404
    if connection is None:
        return redirect("console:salesforce")
    schema = cached_schema(connection, sobject)
    steps = SyncStep.objects.filter(profile__connection=connection, profile__is_active=True, sobject=sobject).order_by(
        "position"
    )
    pages = object_pages()
    context = {
        "connection": connection,
        "name": name,
        "label": dict(pages)[name],
        "object_pages": pages,
        "is_read": connection.metadata_at is not None,
        "is_visible": schema is not None,
        "steps": [(step, mapping_rows(step, schema)) for step in steps],
        "may_review": request.membership.may(Right.EDIT_MAPPINGS),
    }
    return render(request, "console/salesforce/object.html", context)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def mappings_reviewed(request: MemberRequest) -> HttpResponse:
    """Note that somebody looked at the mappings and found them right: a step of the setup checklist."""
    audit(actor=request.user, action="mappings_reviewed", subject="Field mappings")
    return redirect("console:salesforce")


def mapping_rows(step: SyncStep, schema: Schema | None) -> list[MappingRow]:
    """The mappings of a step with the labels of both sides."""
    rows = []
    for mapping in FieldMapping.objects.filter(step=step).order_by("position", "id"):
        field = schema.fields.get(mapping.remote_field) if schema else None
        local = local_field(step.local_type, mapping.local_field)
        rows.append(
            MappingRow(
                remote_label=field.label if field else mapping.remote_field,
                remote_field=mapping.remote_field,
                remote_type=field.type if field else "",
                local_label=local.label,
                way_in=_WAYS[mapping.way_in],
                way_out=_WAYS[mapping.way_out],
                is_key=mapping.is_key,
                paused_reason=pause_reason(schema, mapping.remote_field, local) if schema else mapping.paused_reason,
            )
        )
    return rows
