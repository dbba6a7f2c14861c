"""Asking the pre-flight questions that the cache does not answer, and storing all answers."""

from typing import Any

from django.utils import timezone

from apps.domain.failures import JobLost, MappingBroken, NotPermitted
from apps.integrations.checks import Finding, OrgState, Rights, api_closed, findings
from apps.integrations.metadata import Place
from apps.integrations.models import Connection, ConnectionCheck, ObjectMetadata
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.schema import ObjectSchema
from apps.salesforce.soql import quoted
from apps.tenants.scope import tenant_transaction

_PERMISSIONS = ("PermissionsApiEnabled", "PermissionsModifyAllData", "PermissionsPasswordNeverExpires")


def read_rights(gateway: SalesforceGateway, user_id: str) -> Rights:
    """What profile and permission sets give the sync user; each question may stay unanswered on its own."""
    user = _first(gateway, f"SELECT UserPermissionsMarketingUser FROM User WHERE Id = {quoted(user_id)}")
    password = _first(gateway, f"SELECT LastPasswordChangeDate FROM User WHERE Id = {quoted(user_id)}")
    granted = {name: _granted(gateway, user_id, name) for name in _PERMISSIONS}
    return Rights(
        api_enabled=granted["PermissionsApiEnabled"],
        modify_all=granted["PermissionsModifyAllData"],
        marketing_user=None if user is None else user.get("UserPermissionsMarketingUser"),
        password_never_expires=granted["PermissionsPasswordNeverExpires"],
        password_changed=str((password or {}).get("LastPasswordChangeDate") or ""),
    )


def _granted(gateway: SalesforceGateway, user_id: str, permission: str) -> bool | None:
    """Whether the profile or any permission set grants it. A profile stands in PermissionSetAssignment, too, in
    every org; the profile itself is asked first because that answers alone in most."""
    user = _first(gateway, f"SELECT Profile.{permission} FROM User WHERE Id = {quoted(user_id)}")
    profile = (user or {}).get("Profile") or {}
    if profile.get(permission):
        return True
    assigned = _first(
        gateway,
        f"SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {quoted(user_id)} "
        f"AND PermissionSet.{permission} = TRUE LIMIT 1",
    )
    if assigned:
        return True
    return profile.get(permission)


def _first(gateway: SalesforceGateway, soql: str) -> dict[str, Any] | None:
    """The first row; {} where there is none, None where Salesforce does not answer such a question."""
    try:
        return next(gateway.query(soql), {})
    except (MappingBroken, NotPermitted, JobLost):
        return None


def check_org(gateway: SalesforceGateway, place: Place) -> None:
    """Ask, judge and store; the describes must have been read before."""
    with tenant_transaction(place.tenant_id):
        user_id = Connection.objects.get(id=place.connection_id).user_remote_id
    rights, usage = read_rights(gateway, user_id), gateway.limits()
    with tenant_transaction(place.tenant_id):
        connection = Connection.objects.get(id=place.connection_id)
        schemas = ObjectMetadata.objects.filter(connection=connection).values_list("sobject", "schema")
        state = OrgState(
            edition=connection.edition,
            schemas={name: ObjectSchema.from_dict(schema) for name, schema in schemas},
            rights=rights,
            needed=connection.needed_fields,
            writes=connection.needed_writes,
            calls_left=usage.allowed - usage.used if usage else None,
            calls_allowed=usage.allowed if usage else None,
        )
        _store(connection, findings(state))


def note_api_closed(place: Place, reason: str) -> None:
    """Store that the API is closed to us as the one blocker."""
    with tenant_transaction(place.tenant_id):
        _store(Connection.objects.get(id=place.connection_id), api_closed(reason))


def _store(connection: Connection, answers: list[Finding]) -> None:
    now = timezone.now()
    ConnectionCheck.objects.filter(connection=connection).exclude(key__in=[a.key for a in answers]).delete()
    for position, answer in enumerate(answers):
        ConnectionCheck.objects.update_or_create(
            connection=connection,
            key=answer.key,
            defaults={
                "title": answer.title,
                "outcome": answer.outcome.value,
                "finding": answer.finding,
                "fix": answer.fix,
                "position": position,
                "checked_at": now,
            },
        )
