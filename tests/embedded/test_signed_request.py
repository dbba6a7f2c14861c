"""Which signed requests are believed (F77): a table. The secret, the text as sent, the age and what it says decide."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from apps.embedded.signed_request import LONGEST, Reason, Refused, read_signed_request
from tests.embedded.signing import LEAD_ID, ORG_ID, SECRET, envelope, sign, sign_payload

OTHER_LEAD = "00Q000000000002AAA"


def now_ms() -> int:
    return int(time.time() * 1000)


def read(text: str, secret: str = SECRET, now: float | None = None) -> str:
    """The reason of the refusal; "" where it is believed."""
    moment = datetime.fromtimestamp(now if now is not None else time.time(), UTC)
    try:
        read_signed_request(text, secrets=[secret.encode()] if secret else [], now=moment)
    except Refused as refused:
        return refused.reason
    return ""


def encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())


BELIEVED: dict[str, Callable[[], str]] = {
    "as Salesforce sends it": lambda: sign(envelope()),
    "the URL-safe alphabet, without padding": lambda: sign_payload(
        base64.urlsafe_b64encode(json.dumps(envelope(context__user__fullName="Zoë ÿ>>>???")).encode()).rstrip(b"=")
    ),
    "the record in the parameters only": lambda: sign(envelope(context__environment__record={})),
    "the record in the context only": lambda: sign(envelope(context__environment__parameters={})),
    "ids of 15 characters": lambda: sign(
        envelope(context__organization__organizationId=ORG_ID[:15], context__environment__record={"Id": LEAD_ID[:15]})
    ),
    "almost five minutes old": lambda: sign(envelope(issuedAt=now_ms() - 280_000)),
    "a clock that is a little ahead": lambda: sign(envelope(issuedAt=now_ms() + 30_000)),
    "no issuedAt, but our page's moment": lambda: sign(
        envelope(issuedAt=None, context__environment__parameters={"recordId": LEAD_ID, "renderedAt": str(now_ms())})
    ),
    "issuedAt of an old token, and our page's moment": lambda: sign(
        envelope(issuedAt=1, context__environment__parameters={"recordId": LEAD_ID, "renderedAt": str(now_ms())})
    ),
}
REFUSED: dict[str, tuple[Callable[[], str], Reason]] = {
    "nothing": (lambda: "", Reason.MALFORMED),
    "no dot": (lambda: "abc", Reason.MALFORMED),
    "a dot alone": (lambda: ".", Reason.FORGED),
    "no MAC": (lambda: "." + sign(envelope()).partition(".")[2], Reason.FORGED),
    "another secret": (lambda: sign(envelope(), "guessed"), Reason.FORGED),
    "an empty secret": (lambda: sign(envelope(), ""), Reason.FORGED),
    "truncated": (lambda: sign(envelope())[:-8], Reason.FORGED),
    "one more character": (lambda: sign(envelope()) + "A", Reason.FORGED),
    "the MAC of another request": (
        lambda: sign(envelope()).partition(".")[0] + "." + sign(envelope(issuedAt=now_ms())).partition(".")[2],
        Reason.FORGED,
    ),
    "a MAC over the decoded JSON": (
        lambda: (
            sign_payload(json.dumps(envelope()).encode()).partition(".")[0] + "." + sign(envelope()).partition(".")[2]
        ),
        Reason.FORGED,
    ),
    "a MAC that is no base64": (lambda: "!!!." + sign(envelope()).partition(".")[2], Reason.MALFORMED),
    "letters beyond ASCII": (lambda: "ä" + sign(envelope()), Reason.MALFORMED),
    "a payload that is no base64": (lambda: sign_payload(b"!!!"), Reason.MALFORMED),
    "a payload that is no JSON": (lambda: sign_payload(encoded("{nothing")), Reason.MALFORMED),
    "a payload that is no UTF-8": (lambda: sign_payload(base64.b64encode(b"\xff\xfe")), Reason.MALFORMED),
    "a list": (lambda: sign([]), Reason.MALFORMED),
    "null": (lambda: sign(None), Reason.MALFORMED),
    "deep nesting": (lambda: sign_payload(encoded("[" * 20_000)), Reason.MALFORMED),
    "huge": (lambda: sign(envelope(more="x" * LONGEST)), Reason.MALFORMED),
    "another algorithm": (lambda: sign(envelope(algorithm="none")), Reason.MALFORMED),
    "no algorithm": (lambda: sign(envelope(algorithm=None)), Reason.MALFORMED),
    "stale": (lambda: sign(envelope(issuedAt=now_ms() - 400_000)), Reason.STALE),
    "from the future": (lambda: sign(envelope(issuedAt=now_ms() + 180_000)), Reason.STALE),
    "no moment": (lambda: sign(envelope(issuedAt=None)), Reason.STALE),
    "a moment that is no number": (lambda: sign(envelope(issuedAt="soon")), Reason.STALE),
    "a moment that is true": (lambda: sign(envelope(issuedAt=True)), Reason.STALE),
    "an endless moment": (lambda: sign(envelope(issuedAt=10**40)), Reason.STALE),
    "a stale page with a fresh issuedAt": (
        lambda: sign(envelope(context__environment__parameters={"recordId": LEAD_ID, "renderedAt": "1"})),
        Reason.STALE,
    ),
    "no context": (lambda: sign(envelope(context=None)), Reason.MALFORMED),
    "no organization": (lambda: sign(envelope(context__organization=None)), Reason.MALFORMED),
    "a user's id for the org": (
        lambda: sign(envelope(context__organization__organizationId="005000000000001AAA")),
        Reason.MALFORMED,
    ),
    "an org id with more behind it": (
        lambda: sign(envelope(context__organization__organizationId=ORG_ID + "\n")),
        Reason.MALFORMED,
    ),
    "no user": (lambda: sign(envelope(context__user__userId="")), Reason.MALFORMED),
    "no record": (lambda: sign(envelope(context__environment={})), Reason.NO_RECORD),
    "no environment": (lambda: sign(envelope(context__environment=None)), Reason.NO_RECORD),
    "parameters that name another record": (
        lambda: sign(envelope(context__environment__parameters={"recordId": OTHER_LEAD})),
        Reason.MALFORMED,
    ),
    "a record id that is a path": (
        lambda: sign(envelope(context__environment__record={"Id": "../../x"})),
        Reason.MALFORMED,
    ),
    "a record id that is an object": (
        lambda: sign(envelope(context__environment__record={"Id": {"$ne": ""}})),
        Reason.MALFORMED,
    ),
}


@pytest.mark.parametrize("case", BELIEVED)
def test_is_believed(case: str) -> None:
    assert read(BELIEVED[case]()) == ""


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(case: str) -> None:
    make, reason = REFUSED[case]
    assert read(make()) == reason


def test_without_a_secret_nothing_is_believed() -> None:
    assert read(sign(envelope(), ""), secret="") == Reason.FORGED


def test_either_of_two_secrets_will_do() -> None:
    text, now = sign(envelope(), "second"), datetime.now(UTC)
    claims = read_signed_request(text, secrets=[b"first", b"second"], now=now)
    assert (claims.org_id, claims.user_name, claims.remote_id) == (ORG_ID, "Grace Hopper", LEAD_ID)


def test_a_mac_written_another_way_is_the_same_request() -> None:
    text, now = sign(envelope()), datetime.now(UTC)
    mac, _, payload = text.partition(".")
    other = f"{mac.rstrip('=').replace('+', '-').replace('/', '_')}.{payload}"
    digests = {read_signed_request(one, secrets=[SECRET.encode()], now=now).digest for one in (text, other)}
    assert len(digests) == 1
