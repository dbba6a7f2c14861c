"""A client of the control API, with verbs for tests and the demo."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import IO, Any

from emulator.process import start_emulator
from emulator.weather import Weather


class ControlRefused(Exception):
    """The emulator refused; ``body`` is its answer, ``code`` the first error code."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body
        self.code = body[0].get("errorCode", "") if isinstance(body, list) and body else ""


class EmulatorControl(Weather):
    """What tests and the demo ask of a running emulator."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    # -- orgs -----------------------------------------------------------------------------------------------------

    def health(self) -> bool:
        """Whether it answers."""
        return bool(self._call("GET", "health")["ok"])

    def create_org(self, **options: Any) -> dict[str, Any]:
        """A new org; answers its id and its users with their passwords."""
        made: dict[str, Any] = self._call("POST", "orgs", options)
        return made

    def orgs(self) -> list[dict[str, Any]]:
        """All orgs."""
        listed: list[dict[str, Any]] = self._call("GET", "orgs")
        return listed

    def org(self, org_id: str) -> dict[str, Any]:
        """One org."""
        found: dict[str, Any] = self._call("GET", f"orgs/{org_id}")
        return found

    def change_org(self, org_id: str, **options: Any) -> dict[str, Any]:
        """Flip switches of an org."""
        changed: dict[str, Any] = self._call("PATCH", f"orgs/{org_id}", options)
        return changed

    def delete_org(self, org_id: str) -> None:
        """Forget an org."""
        self._call("DELETE", f"orgs/{org_id}")

    def seed(self, org_id: str, **plan: int) -> dict[str, int]:
        """Rows for an org: ``seed``, ``leads``, ``contacts``, ``accounts``, …; answers how many were made."""
        made: dict[str, int] = self._call("POST", f"orgs/{org_id}/seed", plan)
        return made

    def add_user(self, org_id: str, username: str, **facts: Any) -> dict[str, Any]:
        """A user who can log in."""
        made: dict[str, Any] = self._call("POST", f"orgs/{org_id}/users", {"username": username, **facts})
        return made

    def set_password(self, org_id: str, username: str, password: str) -> None:
        """A user changes the password; the org's clock says when."""
        self._call("POST", f"orgs/{org_id}/password", {"username": username, "password": password})

    def add_fields(self, org_id: str, *fields: dict[str, Any]) -> None:
        """Custom fields: ``{"sobject": "Lead", "name": "X__c", "type": "string", "length": 40, …}``."""
        self._call("POST", f"orgs/{org_id}/fields", {"fields": list(fields)})

    def add_object(self, org_id: str, name: str, *fields: dict[str, Any], **facts: Any) -> None:
        """A custom object."""
        self._call("POST", f"orgs/{org_id}/objects", {"objects": [{"name": name, "fields": list(fields), **facts}]})

    def register_app(self, client_id: str, client_secret: str, **facts: Any) -> None:
        """One more connected app: ``name``, ``callbacks``, ``rotates``, ``requires_pkce``, ``requires_secret``,
        ``canvas_url``."""
        self._call("POST", "apps", {"client_id": client_id, "client_secret": client_secret, **facts})

    # -- as a Salesforce user ---------------------------------------------------------------------------------------

    def create(self, org_id: str, sobject: str, **values: Any) -> str:
        """A new record; answers its id."""
        return str(self._call("POST", f"orgs/{org_id}/create", {"sobject": sobject, "values": values})["id"])

    def update(self, org_id: str, sobject: str, record_id: str, **values: Any) -> None:
        """Change a record."""
        self._call("POST", f"orgs/{org_id}/update", {"sobject": sobject, "id": record_id, "values": values})

    def act(self, org_id: str, verb: str, **facts: Any) -> dict[str, Any]:
        """A verb with all its facts, such as ``as_user`` or an older ``stamp`` for a late commit."""
        done: dict[str, Any] = self._call("POST", f"orgs/{org_id}/{verb}", facts)
        return done

    def delete(self, org_id: str, sobject: str, record_id: str) -> None:
        """Into the recycle bin."""
        self.act(org_id, "delete", sobject=sobject, id=record_id)

    def undelete(self, org_id: str, sobject: str, record_id: str) -> None:
        """Back from the recycle bin."""
        self.act(org_id, "undelete", sobject=sobject, id=record_id)

    def purge(self, org_id: str, sobject: str, record_id: str) -> None:
        """Gone without a trace."""
        self.act(org_id, "purge", sobject=sobject, id=record_id)

    def merge(self, org_id: str, sobject: str, master_id: str, *loser_ids: str) -> None:
        """The losers are deleted and point at the master."""
        self.act(org_id, "merge", sobject=sobject, master=master_id, losers=list(loser_ids))

    def convert(self, org_id: str, lead_id: str, **facts: Any) -> dict[str, Any]:
        """Convert a lead (``account``, ``contact``, ``opportunity`` name, ``status``); answers the ids."""
        return self.act(org_id, "convert", id=lead_id, **facts)

    def query(self, org_id: str, soql: str, *, include_deleted: bool = True) -> list[dict[str, Any]]:
        """All rows of a query, seen by nobody's rights."""
        asked = {"soql": soql, "include_deleted": include_deleted}
        rows: list[dict[str, Any]] = self._call("POST", f"orgs/{org_id}/query", asked)
        return rows

    # -- what was asked -----------------------------------------------------------------------------------------

    def calls(self, path: str = "", org_id: str | None = None) -> list[dict[str, Any]]:
        """Calls received whose path matches."""
        asked = {"path": path} | ({"org": org_id} if org_id else {})
        made: list[dict[str, Any]] = self._call("GET", f"calls?{urllib.parse.urlencode(asked)}")
        return made

    def clear_calls(self) -> None:
        """Forget the calls received."""
        self._call("DELETE", "calls")

    def grant(self, org_id: str, **facts: Any) -> dict[str, Any]:
        """The token answer that a consent of the org's first user (or ``user``) brings."""
        answer: dict[str, Any] = self._call("POST", f"orgs/{org_id}/grant", facts)
        return answer

    def signed_request(self, org_id: str, sobject: str, record_id: str, **facts: Any) -> str:
        """What Salesforce posts to the app that is framed on a record's page."""
        made = self.act(org_id, "canvas", sobject=sobject, id=record_id, **facts)
        return str(made["signed_request"])

    # -- a person at a browser --------------------------------------------------------------------------------------

    def approve(self, authorize_url: str, username: str, password: str, *, decision: str = "allow") -> str:
        """Log in and press Allow (or Deny); answers the callback's address with its query."""
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), _StayHere()
        )
        with browser.open(authorize_url, timeout=30) as answer:
            if answer.status == 302:
                return str(answer.headers["Location"])
            hidden = _hidden(answer.read().decode())
        target = f"{self.base_url}/services/oauth2/authorize"
        page = _post(browser, target, {**hidden, "un": username, "pw": password})
        return str(_post(browser, target, {**_hidden(page[1]), "decision": decision})[0])

    def _call(self, method: str, path: str, data: Any = None) -> Any:
        body = json.dumps(data).encode() if data is not None else None
        request = urllib.request.Request(f"{self.base_url}/_control/{path}", body, method=method)  # noqa: S310  # loopback
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ControlRefused(error.code, json.loads(error.read() or b"null")) from None


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Answer redirects instead of following them."""

    def http_error_302(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any) -> Any:
        return fp


def _hidden(page: str) -> dict[str, str]:
    found = re.findall(r"<input type='hidden' name='([^']*)' value='([^']*)'", page)
    return {unescape(name): unescape(value) for name, value in found}


def _post(browser: urllib.request.OpenerDirector, url: str, form: dict[str, str]) -> tuple[str | None, str]:
    with browser.open(url, urllib.parse.urlencode(form).encode(), timeout=30) as answer:
        return answer.headers.get("Location"), answer.read().decode()


@contextmanager
def running_emulator(folder: Path, port: int = 0) -> Iterator[EmulatorControl]:
    """An emulator in a child process, gone at the end of the block."""
    running = start_emulator(folder, port)
    try:
        yield EmulatorControl(running.base_url)
    finally:
        running.stop()
