"""Pages for people: orgs, lists and records, written through the same data rules as the API."""

import re
from typing import Any
from urllib.parse import urlencode

from emulator import pages
from emulator.api.canvas import canvas_app
from emulator.api.login import cookie, html, redirect, session_of, start_session
from emulator.call import Call, Response
from emulator.canvas import has_panel
from emulator.errors import Refused
from emulator.ids import normalized
from emulator.lifecycle import convert
from emulator.org import Org
from emulator.records import Writer
from emulator.rules import Author, problem_of
from emulator.schema import Field, SObject
from emulator.store import column
from emulator.values import Unparsable

_COLUMNS = ("Name", "Subject", "CaseNumber", "Company", "AccountId", "Email", "Phone", "Status", "StageName", "Amount",
            "Industry", "Type", "Username", "IsActive", "SystemModstamp")  # fmt: skip
_FRAMES = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
}
"""A record's page may frame the org's own Visualforce pages."""
_SEARCHED = ("Name", "Email", "Company", "Subject", "Username")


def page_for(call: Call) -> Response:
    """The page of a path."""
    if call.path == "/":
        return _home(call)
    if call.path == "/login":
        return _login(call)
    if call.path == "/logout":
        return redirect("/", {"Set-Cookie": "sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"})
    session = session_of(call)
    if session is None:
        return html(pages.login_page("/login", {"startURL": call.path}))
    call.found_org, call.username = session
    return _inside(call, *session)


def _home(call: Call) -> Response:
    session = session_of(call)
    orgs = [(org.name, org.edition, org.users) for org in call.world.orgs.values()]
    return html(pages.orgs_page(orgs, session[1] if session else ""))


def _login(call: Call) -> Response:
    if call.method != "POST":
        return html(pages.login_page("/login", {"startURL": call.query.get("startURL", "/lightning/o/Lead/list")}))
    form = call.form()
    target = form.get("startURL", "/")
    key = start_session(call, form.get("un", ""), form.get("pw", ""))
    if key is None:
        words = "Please check your username and password. If you still can't log in, contact your administrator."
        return html(pages.login_page("/login", {"startURL": target}, words, form.get("un", "")))
    return redirect(target if re.match(r"/(?!/)", target) else "/", cookie(key))


def _inside(call: Call, org: Org, username: str) -> Response:
    path = call.path
    if found := re.fullmatch(r"/(\w{15,18})", path):
        sobject = org.object_of(found.group(1))
        if sobject is not None:
            return redirect(f"/lightning/r/{sobject.name}/{normalized(found.group(1))}/view")
    if found := re.fullmatch(r"/lightning/o/(\w+)/(list|new)", path):
        sobject = org.schema.find(found.group(1))
        if sobject is not None:
            return _new(call, org, sobject) if found.group(2) == "new" else _list(call, org, sobject)
    if found := re.fullmatch(r"/lightning/r/(?:(\w+)/)?(\w{15,18})/(view|edit|delete|undelete|convert)", path):
        sobject = org.object_of(found.group(2))
        row = org.store.row(sobject.name, normalized(found.group(2))) if sobject else None
        if sobject is not None and row is not None:
            return _record(call, org, sobject, row, found.group(3))
    return html(
        pages.page("Not Found", pages.notice("Page not found", "There is no such record in this org."), who=username),
        404,
    )


def _list(call: Call, org: Org, sobject: SObject) -> Response:
    shown = [sobject.fields[name] for name in _COLUMNS if name in sobject.fields][:7]
    query = call.query.get("q", "").strip()
    tests, parameters = (["\"IsDeleted\" = 'false'"] if sobject.is_soft_deleted else ["1"]), []
    if query:
        searched = [name for name in _SEARCHED if name in sobject.fields]
        tests.append("(" + " OR ".join(f"{column(name)} LIKE ?" for name in searched) + ")")
        parameters = [f"%{query}%"] * len(searched)
    statement = f"SELECT * FROM {column(sobject.name)} WHERE {' AND '.join(tests)} LIMIT 100"
    cursor = org.store.connection.execute(statement, parameters)
    names = [entry[0] for entry in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return html(pages.list_page(sobject, shown, rows, query, call.username))


def _author(org: Org, username: str) -> Author:
    return Author(org.users[username]["id"], is_api=False, allows_duplicates=True)


def _new(call: Call, org: Org, sobject: SObject) -> Response:
    if call.method != "POST":
        row = {field.name: field.default for field in sobject.fields.values()}
        return html(pages.edit_page(sobject, row, call.username, is_new=True))
    values = _sent(call, sobject, is_new=True)
    try:
        new_id = Writer(org, _author(org, call.username)).create(sobject.name, values)
    except (Refused, Unparsable) as error:
        shown = {name: _back(value) for name, value in values.items()}
        return html(pages.edit_page(sobject, shown, call.username, is_new=True, error=_words(error)), 400)
    return redirect(f"/lightning/r/{sobject.name}/{new_id}/view")


def _record(call: Call, org: Org, sobject: SObject, row: dict[str, Any], action: str) -> Response:
    if action == "view" or (call.method == "GET" and action != "edit"):
        return html(
            pages.record_page(sobject, row, call.username, link=_quick_view(call, org, sobject, row)), headers=_FRAMES
        )
    if call.method == "GET":
        return html(pages.edit_page(sobject, row, call.username, is_new=False))
    author = _author(org, call.username)
    writer = Writer(org, author)
    here = f"/lightning/r/{sobject.name}/{row['Id']}/view"
    values = _sent(call, sobject, is_new=False) if action == "edit" else {}
    changed = {name: value for name, value in values.items() if _back(value) != _back(row.get(name))}
    try:
        if action == "edit":
            writer.update(sobject.name, row["Id"], changed)
        elif action == "delete":
            writer.delete(sobject.name, row["Id"])
            here = f"/lightning/o/{sobject.name}/list"
        elif action == "undelete":
            writer.undelete(sobject.name, row["Id"])
        else:
            made = convert(org, author, row["Id"])
            here = f"/lightning/r/Contact/{made['contactId']}/view"
    except (Refused, Unparsable) as error:
        if action == "edit":
            shown = row | {name: _back(value) for name, value in values.items()}
            return html(pages.edit_page(sobject, shown, call.username, is_new=False, error=_words(error)), 400)
        return html(pages.record_page(sobject, row, call.username, _words(error)), 400)
    return redirect(here)


def _quick_view(call: Call, org: Org, sobject: SObject, row: dict[str, Any]) -> str:
    """The address behind "View in Syncline"; empty where the package is not installed."""
    app = canvas_app(call)
    if not has_panel(org, app, sobject) or row.get("IsDeleted") == "true":
        return ""
    return f"{app.canvas_url.rstrip('/')}/view/?{urlencode({'org': org.id, 'id': row['Id']})}"


def _sent(call: Call, sobject: SObject, *, is_new: bool) -> dict[str, Any]:
    """The form's values; an unticked box is not sent by browsers."""
    form = call.form()
    fields: list[Field] = [f for f in sobject.fields.values() if (f.is_createable if is_new else f.is_updateable)]
    values: dict[str, Any] = {}
    for field in fields:
        if field.type == "boolean":
            values[field.name] = form.get(field.name) == "true"
        elif field.name in form and (form[field.name] or not is_new):
            values[field.name] = form[field.name].replace("\r\n", "\n") or None
    return values


def _back(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value in (None, "") else str(value).replace("\r\n", "\n")


def _words(error: Refused | Unparsable) -> str:
    found = error.problems if isinstance(error, Refused) else (problem_of(error, whole_request=False),)
    return "; ".join(problem.message for problem in found)
