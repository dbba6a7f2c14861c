"""A person in front of Salesforce's log-in and consent pages, over HTTP, without a browser."""

import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import requests

from emulator.control import EmulatorControl


@dataclass(frozen=True)
class OrgUser:
    """Someone who can log in to an org of the emulator."""

    org_id: str
    username: str
    password: str


def new_org(control: EmulatorControl, **options: str) -> OrgUser:
    """A new org with its integration user."""
    made = control.create_org(**options)
    username, facts = next(iter(made["users"].items()))
    return OrgUser(made["id"], username, facts["password"])


def answer_of(url: str, who: OrgUser, decision: str = "allow") -> dict[str, str]:
    """Log in at the address of ``begin_oauth``, decide, and give back what Salesforce sends to the callback."""
    browser = requests.Session()
    browser.trust_env = False
    base, page = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}", browser.get(url, timeout=10).text
    page = browser.post(
        f"{base}/services/oauth2/authorize", {**_hidden(page), "un": who.username, "pw": who.password}, timeout=10
    ).text
    back = browser.post(
        f"{base}/services/oauth2/authorize",
        {**_hidden(page), "decision": decision},
        timeout=10,
        allow_redirects=False,
    )
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}


def calls_of(control: EmulatorControl, path: str) -> int:
    """How often a path was called. The emulator notes a call after it has answered, so the first may take a moment."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if found := len([call for call in control.calls() if call["path"] == path]):
            return found
        time.sleep(0.02)
    return 0


def _hidden(page: str) -> dict[str, str]:
    fields = re.findall(r"<input type='hidden' name='([^']*)' value='([^']*)'>", page)
    assert fields, page
    return dict(fields)
