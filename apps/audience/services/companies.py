"""Making and changing companies."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audience.announcing import announce_edit
from apps.audience.models import Company, Source
from apps.audience.services.records import BY_HAND, locked, note_change, refuse_taken_key, save_change, switch_active
from apps.audience.services.values import BadValues, columns_of, differing, filled_fields, put, read_values
from apps.domain.values import domain_of
from apps.outbox.queue import queue_change
from apps.tenants.actors import Actor

_NAMELESS = "A company needs a name."


def create_company(
    *,
    values: Mapping[str, str],
    user: Actor | None,
    source: Source = Source.MANUAL,
    origin: str = BY_HAND,
    external_key: str = "",
) -> Company:
    """Make a company of typed values by field. Raises BadValues and ExternalKeyTaken."""
    filled = {name: value for name, value in read_values("company", values).items() if value not in ("", None)}
    if not filled.get("name"):
        raise BadValues({"name": _NAMELESS})
    now = timezone.now()
    company = Company(source=source, external_key=external_key, created_at=now, updated_at=now)
    lines = put("company", company, filled)
    company.domain = _domain(company)
    _save_unless_taken(company)
    note_change(company, lines={}, user=user, at=now)
    announce_edit(company, lines, origin=origin)
    queue_change(local_type="company", local_id=company.pk, fields=list(filled), origin=origin, at=now)
    return company


def update_company(
    *, company: Company, values: Mapping[str, str], seen_version: int | None, user: Actor | None, origin: str = BY_HAND
) -> Company:
    """Change what differs of the typed values; where nothing does, nothing is written.

    Raises BadValues and RecordMoved.
    """
    read = read_values("company", values)
    row = locked(company, seen_version)
    changed = differing("company", row, read)
    if not changed:
        return row
    if changed.get("name", row.name) == "":
        raise BadValues({"name": _NAMELESS})
    lines = put("company", row, changed)
    row.domain = _domain(row)
    save_change(
        row, columns=[*columns_of("company", changed), "domain"], lines=lines, queued=changed, user=user, origin=origin
    )
    return row


def deactivate_company(
    *, company: Company, user: Actor | None, seen_version: int | None = None, origin: str = BY_HAND
) -> Company:
    """Take a company out of use here. Its account in Salesforce stays as it is. Raises RecordMoved."""
    return switch_active(company, is_active=False, seen_version=seen_version, user=user, origin=origin)


def reactivate_company(
    *, company: Company, user: Actor | None, seen_version: int | None = None, origin: str = BY_HAND
) -> Company:
    """Take a company into use again; one that is not in Salesforce yet is queued whole. Raises RecordMoved."""
    whole = [] if company.is_linked else filled_fields("company", company)
    return switch_active(company, is_active=True, seen_version=seen_version, user=user, queued=whole, origin=origin)


def _domain(company: Company) -> str:
    """What finds the company while it is not linked; longer than a domain can be is none (RFC 1035, 2.3.4)."""
    domain = domain_of(company.website)
    return domain if len(domain) <= 253 else ""


def _save_unless_taken(company: Company) -> None:
    refuse_taken_key(Company, company.external_key)
    try:
        with transaction.atomic():
            company.save(force_insert=True)
    except IntegrityError:
        refuse_taken_key(Company, company.external_key)
        raise
