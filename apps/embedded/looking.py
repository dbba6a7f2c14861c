"""Who is looking: a Salesforce user at one record of one org, first proven by a signed request, then by a token."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.embedded.consumer_secrets import consumer_secrets
from apps.embedded.framing import unstored
from apps.embedded.models import SignedRequest
from apps.embedded.refusals import REFUSALS
from apps.embedded.signed_request import LONGEST, Reason, Refused, read_signed_request
from apps.integrations.models import Connection, ConnectionState, ObjectMetadata
from apps.tenants.directory import tenants_of
from apps.tenants.models import DirectoryKind
from apps.tenants.scope import tenant_transaction

TOKEN_LIFETIME = timedelta(minutes=10)
_KEPT = timedelta(days=30)
_SALT = "embedded.panel"
_SCHEME = "Bearer "
_PANELS = frozenset({"Lead", "Contact"})


@dataclass(frozen=True, slots=True)
class Onlooker:
    """A Salesforce user in front of the panel. Everything comes from the signed request; as an ``Actor`` they have a
    name and no account here."""

    tenant_id: int
    connection_id: int
    org_id: str
    user_id: str
    user_name: str
    sobject: str
    remote_id: str
    pk: None = None

    @property
    def display_name(self) -> str:
        """Who acts, as the timeline names them."""
        return f"Salesforce user {self.user_name}"

    @property
    def email(self) -> str:
        """What the audit log shows where a member has an address."""
        return self.display_name


def take_signed_request(request: HttpRequest) -> Onlooker:
    """Use up the request's signed text, inside a transaction; raises Refused."""
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > 2 * LONGEST:
        raise Refused(Reason.MALFORMED)
    now = timezone.now()
    claims = read_signed_request(request.POST.get("signed_request", ""), secrets=consumer_secrets(), now=now)
    tenant_id = next(iter(tenants_of(DirectoryKind.SALESFORCE_ORG, claims.org_id)), None)
    if tenant_id is None:
        raise Refused(Reason.NOT_CONNECTED)
    with tenant_transaction(tenant_id):
        connection = _connection(org_id=claims.org_id)
        SignedRequest.objects.filter(expires_at__lt=now).delete()
        try:
            with transaction.atomic():
                SignedRequest.objects.create(
                    digest=claims.digest,
                    remote_user_id=claims.user_id,
                    user_name=claims.user_name,
                    expires_at=now + _KEPT,
                )
        except IntegrityError:
            raise Refused(Reason.REPLAYED) from None
        return Onlooker(
            tenant_id=tenant_id,
            connection_id=connection.pk,
            org_id=claims.org_id,
            user_id=claims.user_id,
            user_name=claims.user_name,
            sobject=_sobject_of(connection, claims.remote_id),
            remote_id=claims.remote_id,
        )


def _connection(**where: Any) -> Connection:
    """The tenant's live connection to that org; raises Refused."""
    found: Connection | None = (
        Connection.objects.filter(**where).exclude(state=ConnectionState.DISCONNECTED.value).first()
    )
    if found is None:
        raise Refused(Reason.NOT_CONNECTED)
    return found


def _sobject_of(connection: Connection, remote_id: str) -> str:
    """What the record is, by its key prefix; the panel is for leads and contacts."""
    rows = ObjectMetadata.objects.filter(connection=connection, schema__key_prefix=remote_id[:3])
    found = str(rows.values_list("sobject", flat=True).first() or "")
    known = {"00Q": "Lead", "003": "Contact"}  # the same in every org
    found = found or known.get(remote_id[:3], "")
    if found not in _PANELS:
        raise Refused(Reason.NO_RECORD)
    return found


def mint(onlooker: Onlooker) -> str:
    """A token for ten minutes, bound to tenant, org, user and record."""
    return signing.dumps(asdict(onlooker), salt=_SALT, compress=True)


def onlooker_of(request: HttpRequest) -> Onlooker:
    """The onlooker of the token in the header; raises Refused. Cookies play no part."""
    header = request.headers.get("Authorization", "")
    if not header.startswith(_SCHEME) or len(header) > 4096:
        raise Refused(Reason.STALE)
    try:
        return Onlooker(**signing.loads(header.removeprefix(_SCHEME), salt=_SALT, max_age=TOKEN_LIFETIME))
    except (signing.BadSignature, TypeError):
        raise Refused(Reason.STALE) from None


PanelView = Callable[[HttpRequest, Onlooker, Connection], HttpResponse]


def panel_part(view: PanelView) -> Callable[[HttpRequest], HttpResponse]:
    """A part of the panel, asked for with the token; everything it does happens in the onlooker's tenant."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            onlooker = onlooker_of(request)
            with tenant_transaction(onlooker.tenant_id):
                connection = _connection(id=onlooker.connection_id, org_id=onlooker.org_id)
                return unstored(view(request, onlooker, connection))
        except Refused as refused:
            return unstored(refusal(request, refused.reason, is_part=True))

    return csrf_exempt(guarded)


def refusal(request: HttpRequest, reason: Reason, *, is_part: bool = False) -> HttpResponse:
    """Why there is nothing to see, in words, and what helps."""
    shown = REFUSALS[reason]
    template = "embedded/_refusal.html" if is_part else "embedded/refused.html"
    return render(request, template, {"refusal": shown}, status=401 if is_part else shown.status)
