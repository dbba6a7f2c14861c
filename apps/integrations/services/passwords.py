"""The second way to connect: user name, password and security token, tried once by a worker."""

import json
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from apps.core.crypto import CannotDecrypt, seal, unseal
from apps.core.db import dispatcher_transaction
from apps.core.queue import wake
from apps.domain.failures import Failure
from apps.integrations.models import PasswordAttempt
from apps.integrations.organization import read_organization
from apps.integrations.services.oauth import (
    Claim,
    ConnectRefused,
    Grant,
    live_connection,
    refusal_code,
    store_connection,
)
from apps.integrations.tokens import salesforce_app, store_credentials
from apps.salesforce.soap_login import Credentials, soap_login
from apps.tenants.audit import audit
from apps.tenants.models import User
from apps.tenants.scope import current_tenant_id, tenant_transaction

TASK = "apps.sync.tasks.connect_by_password"
CONFIRMATION = "Confirm"
"""What a person types to say that they have read the warning."""
_LONGEST = 255
_FORGOTTEN_AFTER = timedelta(minutes=5)
_LOST = "The attempt did not come to its end. Check in Salesforce that the user is not locked out, then try again."


class BadCredentials(ValueError):
    """What was typed cannot be tried; ``field`` says which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_credentials(*, username: str, password: str, security_token: str, confirmation: str) -> Credentials:
    """What was typed, as it can be tried. Raises BadCredentials."""
    name = username.strip()
    for field, text, words in (
        ("username", name, "Enter the user name of the sync user: it looks like an e-mail address."),
        ("password", password, "Enter the password."),
    ):
        if not text:
            raise BadCredentials(field, words)
    typed = {"username": name, "password": password, "security_token": security_token.strip()}
    for field, text in typed.items():
        if len(text) > _LONGEST or any(ord(sign) < 32 for sign in text):
            raise BadCredentials(field, "This cannot be right: it is too long, or holds signs that nobody can type.")
    if confirmation.strip() != CONFIRMATION:
        raise BadCredentials("confirmation", f"Type “{CONFIRMATION}” to say that you have read the warning.")
    return Credentials(**typed)


def begin_password_attempt(*, user: User, login_url: str, credentials: Credentials) -> PasswordAttempt:
    """Keep what was typed, sealed, and call a worker to try it."""
    live = live_connection()
    attempt: PasswordAttempt = PasswordAttempt.objects.create(
        login_url=login_url,
        expected_org_id=live.org_id if live else "",
        user=user,
        due_at=timezone.now(),
    )
    packed = json.dumps([credentials.username, credentials.password, credentials.security_token])
    attempt.credentials = seal(packed, binding=_binding(attempt))
    attempt.save(update_fields=["credentials"])
    audit(actor=user, action="password_tried", subject="Salesforce", after={"username": credentials.username})
    wake(TASK, current_tenant_id(), attempt.pk)
    return attempt


def try_password(tenant_id: int, attempt_id: int, *, then: Callable[..., None]) -> bool:
    """Take the attempt and log in with it: once, whatever becomes of this worker. The connection is stored together
    with what ``then`` does. Answers whether it stands."""
    taken = _take(tenant_id, attempt_id)
    if taken is None:
        return False
    attempt, credentials = taken
    claim = Claim(tenant_id, attempt.pk, attempt.login_url, "", attempt.expected_org_id, False)
    try:
        hosts = salesforce_app().trusted_hosts
        session = soap_login(credentials, login_url=attempt.login_url, trusted_hosts=hosts)
        if claim.expected_org_id and session.tokens.org_id != claim.expected_org_id:
            raise ConnectRefused("wrong_org", "This user belongs to another Salesforce org.")
        grant = Grant(session.tokens, session.identity, read_organization(session.tokens))
        with tenant_transaction(tenant_id):
            connection, _ = store_connection(claim=claim, grant=grant, user=attempt.user)
            store_credentials(connection, credentials)
            connection.save(update_fields=["auth_kind", "credentials"])
            then(connection=connection, user=attempt.user)
            PasswordAttempt.objects.filter(id=attempt.pk).update(state="done")
            return True
    except Failure as failure:
        _refuse(tenant_id, attempt, refusal_code(failure.category), failure.message)
    except ConnectRefused as refused:
        _refuse(tenant_id, attempt, refused.code, refused.message)
    return False


def attempt_of(attempt: PasswordAttempt) -> PasswordAttempt:
    """The attempt as a page shows it: one whose worker died is over, for nobody tries a password twice."""
    if attempt.state == "taken" and attempt.taken_at and attempt.taken_at + _FORGOTTEN_AFTER < timezone.now():
        attempt.state, attempt.code, attempt.words = "refused", "failed", _LOST
        attempt.save(update_fields=["state", "code", "words"])
    return attempt


def wake_due_attempts() -> int:
    """Call workers to attempts that wait; the dispatcher's part."""
    with dispatcher_transaction():
        due = PasswordAttempt._base_manager.filter(due_at__lte=timezone.now()).order_by("due_at")
        found = list(due.values_list("tenant_id", "id")[:100])
        for tenant_id, attempt_id in found:
            wake(TASK, tenant_id, attempt_id)
    return len(found)


def _binding(attempt: PasswordAttempt) -> str:
    return f"password:{attempt.tenant_id}:{attempt.pk}"


def _take(tenant_id: int, attempt_id: int) -> tuple[PasswordAttempt, Credentials] | None:
    with tenant_transaction(tenant_id):
        rows = PasswordAttempt.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
        attempt = rows.filter(id=attempt_id, due_at__isnull=False).first()
        if attempt is None:
            return None
        sealed, attempt.credentials = attempt.credentials, ""
        attempt.state, attempt.due_at, attempt.taken_at = "taken", None, timezone.now()
        attempt.save(update_fields=["state", "due_at", "taken_at", "credentials"])
    try:
        return attempt, Credentials(*json.loads(unseal(sealed, binding=_binding(attempt))))
    except CannotDecrypt:
        _refuse(tenant_id, attempt, "failed", "What was typed can no longer be opened. Enter it again.")
        return None


def _refuse(tenant_id: int, attempt: PasswordAttempt, code: str, words: str) -> None:
    with tenant_transaction(tenant_id):
        PasswordAttempt.objects.filter(id=attempt.pk).update(state="refused", code=code[:32], words=words)
