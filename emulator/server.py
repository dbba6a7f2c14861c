"""The HTTP server: OAuth, REST, Bulk 2.0, pages for people, and the control API."""

import json
import re
import secrets
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from emulator import bulk, pages
from emulator.oauth import Grants, OAuthRefused
from emulator.schema import SOBJECTS
from emulator.seed import seed
from emulator.soql import SoqlError
from emulator.store import Org, RuleBroken

PAGE_ROWS = 2000


class Refused(Exception):
    """A REST error: status, code, text."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, fields


class World:
    """Everything that the emulator holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.orgs: dict[str, Org] = {}
        self.grants = Grants()
        self.jobs: dict[str, bulk.Job] = {}
        self.cursors: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        self.calls: list[dict[str, Any]] = []
        self.faults: list[dict[str, Any]] = []
        self.sessions: dict[str, tuple[Org, str]] = {}
        self.lock = threading.Lock()
        self._load()

    @property
    def _memory(self) -> Path:
        return self.folder / "world.json"

    def _load(self) -> None:
        """Take up orgs and grants of an earlier process."""
        if not self._memory.exists():
            return
        saved = json.loads(self._memory.read_text(encoding="utf-8"))
        for number, known in enumerate(saved["orgs"], 1):
            org = Org(self.folder / f"org-{number}.sqlite", number, known["name"], known["edition"])
            org.users = known["users"]
            self.orgs[org.id] = org
        for name in ("access", "refreshing"):
            tokens = {token: (self.orgs[org_id], user) for token, (org_id, user) in saved[name].items()}
            setattr(self.grants, name, tokens)

    def save(self) -> None:
        """Remember orgs and grants for the next start."""
        data = {
            "orgs": [{"name": o.name, "edition": o.edition, "users": o.users} for o in self.orgs.values()],
            "access": {token: (org.id, user) for token, (org, user) in self.grants.access.items()},
            "refreshing": {token: (org.id, user) for token, (org, user) in self.grants.refreshing.items()},
        }
        with self.lock:
            self._memory.write_text(json.dumps(data), encoding="utf-8")

    def create_org(self, options: dict[str, Any]) -> Org:
        """A new org with an administrator (integration user)."""
        number = len(self.orgs) + 1
        name = options.get("name") or f"Org {number}"
        edition = options.get("edition") or "Developer Edition"
        database = self.folder / f"org-{number}.sqlite"
        database.unlink(missing_ok=True)
        org = Org(database, number, name, edition)
        profile = org.create(
            "Profile",
            {"Name": "System Administrator", "PermissionsApiEnabled": True, "PermissionsModifyAllData": True},
        )
        username = options.get("username") or f"integration@org{number}.example"
        org.add_user("Integration User", username, options.get("password") or "sync-me-please", profile=profile)
        org.create("Organization", {"Name": name, "OrganizationType": edition, "InstanceName": "EMU1"})
        org.create("Group", {"Name": "Inbound Leads", "Type": "Queue"})
        self.orgs[org.id] = org
        self.save()
        return org

    def fault_for(self, method: str, path: str) -> dict[str, Any] | None:
        """The scripted fault that this call meets, if any."""
        with self.lock:
            for fault in self.faults:
                if fault.get("method") not in (None, method) or not re.search(fault["path"], path):
                    continue
                fault["seen"] = fault.get("seen", 0) + 1
                first = fault.get("nth", 1)
                if first <= fault["seen"] < first + fault.get("times", 1):
                    return fault
        return None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Emulator"
    world: World
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Calls are listed by the control API instead."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_GET
    do_PATCH = do_GET
    do_DELETE = do_GET
    do_PUT = do_GET

    # -- plumbing ---------------------------------------------------------------------------------------------

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        self.query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.base = f"http://{self.headers.get('Host')}"
        self.org: Org | None = None
        self.truncate: int | None = None
        started = time.monotonic()
        self.status, self.sent = 0, 0
        try:
            self._faulted(parts.path) or self._route(unquote(parts.path))
        except Refused as error:
            item: dict[str, Any] = {"message": error.message, "errorCode": error.code}
            if error.fields is not None:
                item["fields"] = error.fields
            self.json(error.status, [item])
        except RuleBroken as error:
            status = 404 if error.code == "ENTITY_IS_DELETED" else 400
            self.json(status, [{"message": error.message, "errorCode": error.code, "fields": error.fields}])
        except SoqlError as error:
            self.json(400, [{"message": str(error), "errorCode": error.code}])
        except OAuthRefused as error:
            self.json(400, {"error": error.error, "error_description": error.description})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        if not parts.path.startswith("/_control"):
            self.world.calls.append(
                {
                    "method": self.command,
                    "path": parts.path,
                    "org": self.org.id if self.org else None,
                    "status": self.status,
                    "seconds": round(time.monotonic() - started, 4),
                    "bytes": self.sent,
                }
            )

    def _faulted(self, path: str) -> bool:
        fault = None if path.startswith("/_control") else self.world.fault_for(self.command, path)
        if fault is None:
            return False
        time.sleep(float(fault.get("delay", 0)))
        if fault.get("expire_tokens"):
            self.world.grants.access.clear()
            return False
        if fault.get("drop"):
            self.close_connection = True
            self.connection.close()
            return True
        if "truncate" in fault:
            self.truncate = int(fault["truncate"])
            return False
        if "status" in fault:
            body = fault.get("body", "")
            text = body if isinstance(body, str) else json.dumps(body)
            self.send(int(fault["status"]), text.encode(), fault.get("type", "application/json"), fault.get("headers"))
            return True
        return False

    def send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.sent = status, len(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.org is not None and status != 401:
            self.send_header("Sforce-Limit-Info", f"api-usage={self.org.api_used}/{self.org.api_limit}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.truncate is not None:
            self.wfile.write(body[: self.truncate])
            self.close_connection = True
            return
        self.wfile.write(body)

    def json(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if status == 204 else json.dumps(data, ensure_ascii=False).encode()
        self.send(status, body, "application/json;charset=UTF-8", headers)

    def html(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(status, text.encode(), "text/html;charset=UTF-8", headers)

    def redirect(self, url: str) -> None:
        self.send(302, b"", "text/plain", {"Location": url})

    def form(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def data(self) -> dict[str, Any]:
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError as error:
            raise Refused(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from None
        return parsed if isinstance(parsed, dict) else {"list": parsed}

    # -- routes -----------------------------------------------------------------------------------------------

    def _route(self, path: str) -> None:
        if path.startswith("/_control/"):
            return self._control(path.removeprefix("/_control/"))
        if path == "/services/oauth2/authorize":
            return self._authorize()
        if path == "/services/oauth2/token":
            answer = self.world.grants.token(self.form(), self.base)
            self.world.save()
            return self.json(200, answer)
        if path == "/services/oauth2/revoke":
            self.world.grants.revoke(self.form().get("token", ""))
            return self.send(200, b"", "text/plain")
        if path == "/services/data":
            return self.json(
                200, [{"label": f"v{v}", "url": f"/services/data/v{v}.0", "version": f"{v}.0"} for v in range(31, 67)]
            )
        if path.startswith("/services/"):
            return self._api(path)
        found = re.fullmatch(r"/([A-Za-z0-9]{15,18})|/lightning/r/\w+/(\w{18})/view", path)
        return self._record(found.group(1) or found.group(2)) if found else self._home()

    def _home(self) -> None:
        rows = "".join(
            f"<tr><td>{pages.escape(org.name)}</td><td><code>{pages.escape(user)}</code></td>"
            f"<td><code>{pages.escape(facts['password'])}</code></td></tr>"
            for org in self.world.orgs.values()
            for user, facts in org.users.items()
        )
        self.html(
            pages.page(
                "Orgs",
                f"<table><tr><th scope='col'>Org</th><th scope='col'>Username</th><th scope='col'>Password</th></tr>"
                f"{rows}</table>",
            )
        )

    def _record(self, record_id: str) -> None:
        sobject = next((name for name, s in SOBJECTS.items() if record_id.startswith(s.prefix)), "")
        for org in self.world.orgs.values():
            row = org.row(sobject, record_id) if sobject else None
            if row is not None:
                return self.html(pages.record_page(sobject, row))
        return self.html(pages.page("Not found", "<p>No such record.</p>"), 404)

    # -- OAuth ------------------------------------------------------------------------------------------------

    def _authorize(self) -> None:
        asked = self.query if self.command == "GET" else self.form()
        kept = {k: asked.get(k, "") for k in ("client_id", "redirect_uri", "state", "code_challenge", "session")}
        if kept["client_id"] != self.world.grants.client_id:
            return self.html(pages.page("Error", "<p>error=invalid_client_id</p>"), 400)
        if not re.match(r"http://(127\.0\.0\.1|localhost)(:\d+)?/", kept["redirect_uri"]):
            return self.html(pages.page("Error", "<p>error=redirect_uri_mismatch</p>"), 400)
        if not kept["code_challenge"]:
            return self._back(kept, {"error": "invalid_request", "error_description": "missing code challenge"})
        if self.command == "GET":
            return self.html(pages.login_page(kept))
        if "un" in asked:
            for org in self.world.orgs.values():
                user = org.users.get(asked["un"].strip())
                if user and user["password"] == asked.get("pw"):
                    kept["session"] = secrets.token_urlsafe(16)
                    self.world.sessions[kept["session"]] = (org, asked["un"].strip())
                    return self.html(pages.allow_page(kept, user["name"]))
            return self.html(pages.login_page(kept, "Please check your username and password."))
        session = self.world.sessions.pop(kept["session"], None)
        if session is None:
            return self.html(pages.login_page(kept, "Your session has ended."))
        if asked.get("decision") != "allow":
            return self._back(kept, {"error": "access_denied", "error_description": "end-user denied authorization"})
        code = self.world.grants.new_code(*session, kept["code_challenge"], kept["redirect_uri"])
        return self._back(kept, {"code": code})

    def _back(self, kept: dict[str, str], answer: dict[str, str]) -> None:
        self.redirect(f"{kept['redirect_uri']}?{urlencode(answer | {'state': kept['state']})}")

    # -- REST -------------------------------------------------------------------------------------------------

    def _api(self, path: str) -> None:
        token = (self.headers.get("Authorization") or "").partition(" ")[2]
        owner = self.world.grants.access.get(token)
        if owner is None:
            raise Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self.org, username = owner
        if path == "/services/oauth2/userinfo":
            user = self.org.users[username]
            return self.json(
                200,
                {
                    "sub": f"{self.base}/id/{self.org.id}/{user['id']}",
                    "user_id": user["id"],
                    "organization_id": self.org.id,
                    "preferred_username": username,
                    "name": user["name"],
                    "email": username,
                    "zoneinfo": "Europe/Berlin",
                },
            )
        found = re.fullmatch(r"/services/data/v(\d+\.\d)/?(.*)", path)
        if not found:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        self.org.api_used += 1
        return self._resource(self.org, found.group(1), found.group(2).rstrip("/"))

    def _resource(self, org: Org, version: str, path: str) -> None:
        if path in {"query", "queryAll"}:
            return self._query(org, version, path == "queryAll")
        if path.startswith(("query/", "queryAll/")):
            return self._more(org, version, path.partition("/")[2])
        if path == "sobjects":
            return self.json(
                200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [s.summary() for s in SOBJECTS.values()]}
            )
        if path == "limits":
            left = org.api_limit - org.api_used
            return self.json(200, {"DailyApiRequests": {"Max": org.api_limit, "Remaining": left}})
        if path.startswith("jobs/query"):
            return self._bulk(org, version, path.removeprefix("jobs/query").strip("/"))
        found = re.fullmatch(r"sobjects/(\w+)(?:/(\w+))?", path)
        if found:
            return self._sobject(org, found.group(1), found.group(2) or "")
        raise Refused(404, "NOT_FOUND", "The requested resource does not exist")

    def _query(self, org: Org, version: str, include_deleted: bool) -> None:
        fields, rows, total = org.select(self.query.get("q", ""), include_deleted=include_deleted)
        sobject = re.search(r"from\s+(\w+)", self.query["q"], re.I)
        self._page(version, str(sobject.group(1) if sobject else ""), fields, rows, total, 0, "")

    def _more(self, org: Org, version: str, locator: str) -> None:
        cursor, _, start = locator.rpartition("-")
        if cursor not in self.world.cursors:
            raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        fields, rows = self.world.cursors[cursor]
        self._page(version, cursor, fields, rows, len(rows), int(start), cursor)

    def _page(
        self,
        version: str,
        sobject: str,
        fields: list[str],
        rows: list[tuple[Any, ...]],
        total: int,
        start: int,
        at: str,
    ) -> None:
        records = [_record_json(sobject, version, fields, row) for row in rows[start : start + PAGE_ROWS]]
        answer: dict[str, Any] = {"totalSize": total, "done": start + PAGE_ROWS >= len(rows)}
        if not answer["done"]:
            cursor = at or "0r8" + secrets.token_hex(7) + "A"
            self.world.cursors[cursor] = (fields, rows)
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{cursor}-{start + PAGE_ROWS}"
        self.json(200, answer | {"records": records})

    def _sobject(self, org: Org, name: str, rest: str) -> None:
        if name not in SOBJECTS:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        if rest == "describe":
            return self.json(200, SOBJECTS[name].describe(org.hidden))
        if not rest and self.command == "POST":
            new_id = org.create(name, self.data())
            return self.json(201, {"id": new_id, "success": True, "errors": []})
        row = org.row(name, rest)
        if row is None or (row["IsDeleted"] == "true" and self.command == "GET"):
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        if self.command == "PATCH":
            org.update(name, rest, self.data())
            return self.json(204, None)
        if self.command == "DELETE":
            org.delete(name, rest)
            return self.json(204, None)
        return self.json(200, _record_json(name, "66.0", list(row), tuple(row.values())))

    def _bulk(self, org: Org, version: str, path: str) -> None:
        if not path:
            data = self.data()
            job = bulk.start_job(org, data["query"], data["operation"], version, self.world.folder)
            self.world.jobs[job.id] = job
            return self.json(200, job.describe())
        job_id, _, rest = path.partition("/")
        job = self.world.jobs.get(job_id)  # type: ignore[assignment]
        if job is None or not job.path.name.startswith(org.id):
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        if rest == "results":
            return self._results(job, version)
        if self.command == "DELETE":
            del self.world.jobs[job_id]
            job.path.unlink(missing_ok=True)
            return self.json(204, None)
        if self.command == "PATCH":
            if job.state == "JobComplete":
                raise Refused(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
            job.state = "Aborted"
        return self.json(200, job.describe())

    def _results(self, job: bulk.Job, version: str) -> None:
        if job.version != version:
            raise Refused(409, "API_ERROR", "The API version of the results must be that of the job")
        if job.state != "JobComplete":
            raise Refused(400, "INVALIDJOBSTATE", "The job is not complete")
        start, end, rows, following = job.page(
            self.query.get("locator", ""), int(self.query.get("maxRecords", 100_000))
        )
        with job.path.open("rb") as source:
            source.seek(start)
            body = job.header + source.read(end - start)
        self.send(200, body, "text/csv", {"Sforce-NumberOfRecords": str(rows), "Sforce-Locator": following})

    # -- control ----------------------------------------------------------------------------------------------

    def _control(self, what: str) -> None:
        data, world = self.data(), self.world
        if what == "health":
            return self.json(200, {"ok": True})
        if what == "orgs" and self.command == "POST":
            org = world.create_org(data)
            return self.json(200, {"id": org.id, "users": org.users})
        if what == "orgs":
            return self.json(200, [{"id": o.id, "name": o.name, "users": o.users} for o in world.orgs.values()])
        if what == "calls":
            calls = list(world.calls)
            if self.command == "DELETE":
                world.calls.clear()
            return self.json(200, calls)
        if what == "faults":
            if self.command == "DELETE":
                world.faults.clear()
            else:
                world.faults.append(data)
            return self.json(200, {})
        if what == "tokens":
            if data.get("expire", True):
                world.grants.access.clear()
            if data.get("revoke"):
                world.grants.refreshing.clear()
            world.grants.rotate = bool(data.get("rotate", world.grants.rotate))
            return self.json(200, {})
        found = re.fullmatch(r"orgs/(\w{18})/(\w+)", what)
        if found and found.group(1) in world.orgs:
            return self._control_org(world.orgs[found.group(1)], found.group(2), data)
        raise Refused(404, "NOT_FOUND", "no such control")

    def _control_org(self, org: Org, what: str, data: dict[str, Any]) -> None:
        match what:
            case "seed":
                seed(org, data)
                self.json(200, {})
            case "create":
                self.json(200, {"id": org.create(data["sobject"], data["values"])})
            case "update":
                org.update(data["sobject"], data["id"], data["values"])
                self.json(200, {})
            case "delete":
                org.delete(data["sobject"], data["id"])
                self.json(200, {})
            case "convert":
                org.convert(data["lead"], data["contact"])
                self.json(200, {})
            case "query":
                fields, rows, _ = org.select(data["soql"], include_deleted=True)
                self.json(200, [dict(zip(fields, row, strict=True)) for row in rows])
            case "grant":
                user = data.get("user") or next(iter(org.users))
                self.json(200, self.world.grants.grant(org, user, self.base))
                self.world.save()
            case "hide":
                org.hidden = frozenset(data["fields"])
                self.json(200, {})
            case _:
                raise Refused(404, "NOT_FOUND", "no such control")


def _record_json(sobject: str, version: str, fields: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    known = SOBJECTS.get(sobject)
    record: dict[str, Any] = {"attributes": {"type": sobject}}
    record_id = dict(zip(fields, row, strict=True)).get("Id")
    if record_id:
        record["attributes"]["url"] = f"/services/data/v{version}/sobjects/{sobject}/{record_id}"
    for name, value in zip(fields, row, strict=True):
        relation, _, plain = name.rpartition(".")
        kind = known.fields[plain].type if known and not relation and plain in known.fields else ""
        shaped = _json_value(kind, value)
        if relation and known and relation != sobject:
            record.setdefault(relation, {"attributes": {"type": relation}})[plain] = (
                value == "true" if value in ("true", "false") else value
            )
        else:
            record[plain] = shaped
    return record


def _json_value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "boolean":
        return value == "true"
    if kind in {"currency", "double", "percent"}:
        return float(value)
    if kind == "int":
        return int(value)
    if kind == "datetime":
        return str(value).replace("Z", "+0000")
    return value


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Threads, one per connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def serve(port: int, folder: Path) -> Server:
    """A listening server, not yet running."""
    handler = type("BoundHandler", (Handler,), {"world": World(folder)})
    return Server(("127.0.0.1", port), handler)
