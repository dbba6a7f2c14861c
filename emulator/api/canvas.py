"""The package's Visualforce pages: a frame of the app that gets the signed request by a form."""

import re
from typing import Any
from urllib.parse import urlsplit

from emulator import pages
from emulator.api.login import html, redirect, session_of
from emulator.call import Call, Response
from emulator.canvas import canvas_request, has_panel, signed
from emulator.errors import not_found
from emulator.grants import CLIENT_ID, App
from emulator.ids import normalized
from emulator.org import Org

SCRIPT = b"document.getElementById('canvas-form').submit();\n"


def canvas_app(call: Call) -> App:
    """The app that is framed."""
    return call.world.grants.apps[CLIENT_ID]


def visualforce_page(call: Call) -> Response:
    """``/apex/SynclineLead?id=…``, for the person who is logged in."""
    session = session_of(call)
    if session is None:
        return redirect("/login")
    call.found_org, call.username = session
    org, app = call.found_org, canvas_app(call)
    record_id = normalized(call.query.get("id", ""))
    sobject = org.object_of(record_id) if re.fullmatch(r"\w{18}", record_id) else None
    row = org.store.row(sobject.name, record_id) if sobject is not None else None
    if sobject is None or row is None or not has_panel(org, app, sobject):
        raise not_found()
    text = signed_request(call, org, {"sobject": sobject.name, "id": record_id, "as_user": call.username})
    target = urlsplit(app.canvas_url)
    origin = f"{target.scheme}://{target.netloc}"
    policy = (
        f"default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; frame-src {origin}; "
        f"form-action {origin}; base-uri 'none'; frame-ancestors 'self'"
    )
    return html(pages.canvas_page(app.canvas_url, text), headers={"Content-Security-Policy": policy})


def signed_request(call: Call, org: Org, data: dict[str, Any]) -> str:
    """The signed request of a record's page, as the control API hands it out, too."""
    app, sobject = canvas_app(call), org.schema.objects[data["sobject"]]
    username = data.get("as_user") or next(iter(org.users))
    at = call.world.grants.now()
    request = canvas_request(org, app, username, sobject, data["id"], call.base, at)
    return signed(request, app.client_secret)
