"""Canvas (Canvas guide, "CanvasRequest", "Verifying and Decoding a Signed Request"): what is posted to the app that
is framed on the pages of leads and contacts."""

import base64
import hashlib
import hmac
import json
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from emulator.local import LocalAnswer, LocalEmulator
from emulator.oauth import CLIENT_ID, CLIENT_SECRET

APP = "https://app.example/embedded/salesforce/"


class Visitor:
    """A user of an org at the pages."""

    def __init__(self, local: LocalEmulator, **options: object) -> None:
        self.local = local
        local.control.register_app(CLIENT_ID, CLIENT_SECRET, name="Syncline", canvas_url=APP)
        made = local.control.create_org(**options)
        self.org_id, (self.username, facts) = made["id"], next(iter(made["users"].items()))
        form = urlencode({"un": self.username, "pw": facts["password"]}).encode()
        self.cookie = self._send("POST", "/login", {}, form).headers["Set-Cookie"].partition(";")[0]

    def _send(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> LocalAnswer:
        return self.local.send(method, target, headers, body)

    def see(self, target: str) -> LocalAnswer:
        return self._send("GET", target, {"Cookie": self.cookie})

    def lead(self) -> str:
        return self.local.control.create(self.org_id, "Lead", LastName="Lovelace", Company="Engines")


def told(text: str) -> Any:
    """What a signed request says, if it is signed as the guide says."""
    mac, _, payload = text.partition(".")
    expected = hmac.new(CLIENT_SECRET.encode(), payload.encode(), hashlib.sha256).digest()
    assert base64.b64decode(mac) == expected
    return json.loads(base64.b64decode(payload))


def test_the_page_of_a_lead_frames_the_visualforce_page_and_that_posts_the_request(local: LocalEmulator) -> None:
    visitor = Visitor(local)
    lead = visitor.lead()
    record = visitor.see(f"/lightning/r/Lead/{lead}/view")
    assert f"<iframe src='/apex/SynclineLead?id={lead}'" in record.body.decode()
    assert f"{APP}view/?org={visitor.org_id}&amp;id={lead}" in record.body.decode()
    assert "frame-src 'self'" in record.headers["Content-Security-Policy"]
    answer = visitor.see(f"/apex/SynclineLead?id={lead}")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "form-action https://app.example;" in policy
    page = answer.body.decode()
    assert f"action='{APP}' target='canvas'" in page
    said = told(unescape(re.search("name='signed_request' value='([^']*)'", page).group(1)))  # type: ignore[union-attr]
    context = said["context"]
    assert said["algorithm"] == "HMACSHA256"
    assert context["organization"]["organizationId"] == visitor.org_id
    assert context["user"]["userName"] == visitor.username
    assert context["environment"]["record"]["Id"] == lead
    assert context["environment"]["parameters"]["recordId"] == lead


def test_two_requests_for_the_same_page_differ(local: LocalEmulator) -> None:
    visitor = Visitor(local)
    lead = visitor.lead()
    made = {local.control.signed_request(visitor.org_id, "Lead", lead) for _ in range(2)}
    assert len(made) == 2


@pytest.mark.parametrize(
    "target", ["/apex/SynclineLead?id=", "/apex/SynclineLead?id=00Q000000000001EAA", "/apex/SynclineX"]
)
def test_a_page_without_a_record_of_this_org_is_not_found(local: LocalEmulator, target: str) -> None:
    assert Visitor(local).see(target).status == 404


def test_without_the_package_or_by_an_account_there_is_no_panel(local: LocalEmulator) -> None:
    bare, whole = Visitor(local, package_fields=False), Visitor(local)
    account = local.control.create(whole.org_id, "Account", Name="Engines")
    assert b"<iframe" not in bare.see(f"/lightning/r/Lead/{bare.lead()}/view").body
    assert b"<iframe" not in whole.see(f"/lightning/r/Account/{account}/view").body


def test_a_stranger_logs_in_first(local: LocalEmulator) -> None:
    visitor = Visitor(local)
    lead = visitor.lead()
    visitor.cookie = ""
    assert visitor.see(f"/apex/SynclineLead?id={lead}").status == 302
