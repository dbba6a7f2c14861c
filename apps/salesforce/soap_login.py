"""Logging in with user name, password and security token, by SOAP ``login()``: for orgs that still allow it.

SOAP ``login()`` is not in API 65.0 and later, off by default in new orgs, and goes with Summer '27 (facts, section 3).
Salesforce locks a user out after a few wrong passwords: a refusal is told and never repeated by itself.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree  # what may hurt is refused before it is parsed, see _parsed
from xml.sax.saxutils import escape

import requests

from apps.domain.failures import AuthorizationLost, Category, Failure, Internal, NotPermitted, Transient
from apps.domain.values import Unreadable, normalize_id
from apps.salesforce.hosts import checked_base
from apps.salesforce.oauth import Identity, TokenSet
from apps.salesforce.session import BoundedAdapter, broken_off

VERSION = "64.0"
"""The last version with ``login()``."""
_PARTNER = "{urn:partner.soap.sforce.com}"
_TIMEOUT = (10, 30)
_LARGEST = 200_000
_BODY = (
    '<?xml version="1.0" encoding="UTF-8"?><se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/">'
    '<se:Header/><se:Body><login xmlns="urn:partner.soap.sforce.com"><username>{username}</username>'
    "<password>{password}</password></login></se:Body></se:Envelope>"
)
_C = Category
_REFUSALS: dict[str, tuple[type[Failure], Category, str]] = {
    "INVALID_LOGIN": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "Salesforce does not accept user name, password and security token together, or the user is locked out. "
        "Check all three; after several wrong attempts wait until the lock is lifted, or have an administrator unlock "
        "the user.",
    ),
    "PASSWORD_LOCKOUT": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "The user is locked out after too many wrong passwords. Wait until the lock is lifted, or have an "
        "administrator unlock the user.",
    ),
    "LOGIN_MUST_USE_SECURITY_TOKEN": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "This address is not among the trusted IP ranges of the org, so the security token is needed, too. In "
        "Salesforce, under the user's settings, press “Reset My Security Token”; it comes by e-mail.",
    ),
    "LOGIN_DURING_RESTRICTED_DOMAIN": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "The user's profile allows log-ins from certain IP addresses only. Add the address of this server to its "
        "login IP ranges.",
    ),
    "LOGIN_DURING_RESTRICTED_TIME": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "The user's profile allows no log-in at this hour. Widen its login hours: a sync works at all hours.",
    ),
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "The password has expired. Log in to Salesforce as this user, choose a new one, and enter it here; better, "
        "give the user “Password Never Expires”.",
    ),
    "LOGIN_CHALLENGE_ISSUED": (
        AuthorizationLost,
        _C.INVALID_GRANT,
        "Salesforce asks for a code that only a person can enter. Add the address of this server to the org's trusted "
        "IP ranges, or connect by the button instead.",
    ),
    "INVALID_OPERATION": (
        NotPermitted,
        _C.API_DISABLED,
        "Log-in by user name and password (SOAP API login) is switched off in this org, as it is by default in new "
        "ones. Connect by the button instead, or have an administrator switch it on.",
    ),
    "UNSUPPORTED_API_VERSION": (
        NotPermitted,
        _C.API_DISABLED,
        "Salesforce no longer offers log-in by user name and password. Connect by the button instead.",
    ),
    "API_DISABLED_FOR_ORG": (NotPermitted, _C.API_DISABLED, "The org's edition has no API."),
    "API_CURRENTLY_DISABLED": (
        NotPermitted,
        _C.API_DISABLED,
        "The user lacks “API Enabled”. Add it to the user's profile or a permission set.",
    ),
    "ORG_LOCKED": (NotPermitted, _C.API_DISABLED, "Salesforce has locked this org. Ask Salesforce why."),
    "TRIAL_EXPIRED": (NotPermitted, _C.API_DISABLED, "The trial of this org has run out."),
    "REQUEST_LIMIT_EXCEEDED": (Transient, _C.REQUEST_LIMIT, "The org has used up its API calls of these 24 hours."),
    "SERVER_UNAVAILABLE": (Transient, _C.UNAVAILABLE, "Salesforce is busy. Try again in a minute."),
    "ORG_IN_MAINTENANCE": (Transient, _C.UNAVAILABLE, "Salesforce maintains this org. Try again later."),
}
_CHALLENGE = {
    "LOGIN_CHALLENGE_PENDING": "LOGIN_CHALLENGE_ISSUED",
    "TXN_SECURITY_TWO_FA_REQUIRED": "LOGIN_CHALLENGE_ISSUED",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person typed. The security token may be blank where the org trusts our address."""

    username: str
    password: str = field(repr=False)
    security_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SoapSession:
    """A session that has no refresh token, and whose it is."""

    tokens: TokenSet
    identity: Identity


def soap_login(credentials: Credentials, *, login_url: str, trusted_hosts: tuple[str, ...]) -> SoapSession:
    """Log in once; raises a Failure that says in words what helps. Nothing here tries again."""
    base = checked_base(login_url, trusted_hosts)
    body = _BODY.format(
        username=escape(credentials.username), password=escape(credentials.password + credentials.security_token)
    )
    answer = _post(f"{base}/services/Soap/u/{VERSION}", body)
    root = _parsed(answer)
    if answer.status_code != 200:
        raise _refusal(root)
    return _session(root, trusted_hosts)


def _post(url: str, body: str) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(max_retries=0))
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    try:
        return session.post(url, data=body.encode(), headers=headers, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise broken_off(error) from None


def _parsed(answer: requests.Response) -> ElementTree.Element:
    """The answer's XML. One with a document type is refused unread: entities can be made to grow without end, or to
    name files."""
    outage = Transient(Category.UNAVAILABLE, "Salesforce answered with something else than a log-in.")
    try:
        text = answer.content[: _LARGEST + 1].decode("utf-8")
    except UnicodeDecodeError:
        raise outage from None
    if len(text) > _LARGEST or "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise outage
    try:
        return ElementTree.fromstring(text.removeprefix("\ufeff"))  # noqa: S314  # no document type, see above
    except (ElementTree.ParseError, ValueError):
        raise outage from None


def _refusal(root: ElementTree.Element) -> Failure:
    code = (root.findtext(".//{urn:fault.partner.soap.sforce.com}exceptionCode") or "").strip()
    code = code or (root.findtext(".//faultcode") or "").rpartition(":")[2].strip()
    known = _REFUSALS.get(_CHALLENGE.get(code, code))
    if known is not None:
        kind, category, words = known
        return kind(category, words)
    told = (root.findtext(".//{urn:fault.partner.soap.sforce.com}exceptionMessage") or "")[:200]
    return AuthorizationLost(
        Category.INVALID_GRANT, f"Salesforce refused the log-in: {told or code or 'no reason given'}"
    )


def _session(root: ElementTree.Element, trusted_hosts: tuple[str, ...]) -> SoapSession:
    def told(name: str) -> str:
        return (root.findtext(f".//{_PARTNER}{name}") or "").strip()

    if told("passwordExpired") == "true":
        kind, category, words = _REFUSALS["INVALID_OPERATION_WITH_EXPIRED_PASSWORD"]
        raise kind(category, words)
    address = urlsplit(told("serverUrl"))
    try:
        tokens = TokenSet(
            access_token=told("sessionId"),
            refresh_token="",
            instance_url=checked_base(f"{address.scheme}://{address.netloc}", trusted_hosts),
            identity_url="",
            org_id=normalize_id(told("organizationId")),
            user_id=normalize_id(told("userId")),
            scope="",
        )
    except Unreadable:
        raise Internal(Category.INTERNAL, "Salesforce's log-in answer is incomplete.") from None
    if not tokens.access_token:
        raise Internal(Category.INTERNAL, "Salesforce's log-in answer is incomplete.")
    return SoapSession(tokens, Identity(told("userName"), told("userFullName"), told("userEmail")))
