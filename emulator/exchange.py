"""From a call to what goes back over the wire: faults on the way in and out, limits on calls at once, the record."""

import time
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from emulator.api.control import perform
from emulator.call import HTML, KNOWN_ERRORS, Call, Response, refusal
from emulator.errors import bare
from emulator.org import Org
from emulator.routes import dispatch

_UNNOTED = ("/_control", "/_static", "/favicon")
_LONGEST_ADDRESS = 16_384
"""Characters of an address (facts.md, section 10); the answer to a longer one is assumed."""
_WITHOUT_USAGE = ("/services/oauth2/", "/id/")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Robots-Tag": "none",
    "Vary": "Accept-Encoding",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
}


@dataclass(slots=True)
class Sent:
    """What goes back: no response where the connection drops; ``cut`` ends the body, ``drip`` lies between bytes."""

    response: Response | None
    cut: int | None = None
    drip: float = 0


def exchange(call: Call, query: str) -> Sent:
    """Answer a call and note it; the faults that it meets come first."""
    began, started_at = time.monotonic(), time.time()
    org = _org_of(call)
    fault: dict[str, Any] = {}
    if not call.path.startswith("/_"):
        fault = call.world.fault_for(call.method, call.path, org.id if org else None, call.body) or {}
    with org.in_flight() if org else nullcontext(0) as calls_now:
        sent = _answered(call, query, org, calls_now, fault)
    if not call.path.startswith(_UNNOTED):
        _note(call, query, sent, time.monotonic() - began, started_at)
    return sent


def _answered(call: Call, query: str, org: Org | None, calls_now: int, fault: dict[str, Any]) -> Sent:
    time.sleep(float(fault.get("delay", 0)))
    perform(call, fault.get("first") or [])
    if fault.get("expire_tokens"):
        call.world.grants.expire(fault.get("org"))
    if fault.get("drop") in (True, "before"):
        return Sent(None)
    response = _scripted(fault) if "status" in fault else _dispatched(call, org, calls_now, query)
    perform(call, fault.get("then") or [])
    if fault.get("drop") == "after":
        return Sent(None)
    cut = int(fault["truncate"]) if "truncate" in fault else None
    return Sent(response, cut, float(fault.get("drip", 0)))


def _dispatched(call: Call, org: Org | None, calls_now: int, query: str) -> Response:
    if len(call.path) + len(query) > _LONGEST_ADDRESS:
        return Response(414, kind=HTML, body=b"<html><body><h1>URI Too Long</h1></body></html>")
    try:
        if org is not None and calls_now > int(org.options["concurrent_limit"]):
            raise bare("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403)
        return dispatch(call)
    except KNOWN_ERRORS as error:
        return refusal(call, error)


def _org_of(call: Call) -> Org | None:
    """The org of a call's token, before the token is checked."""
    token = call.headers.get("authorization", "").partition(" ")[2]
    access = call.world.grants.access.get(token)
    return call.world.orgs.get(access.org_id) if access else None


def _scripted(fault: dict[str, Any]) -> Response:
    body = fault.get("body", "")
    content = body.encode() if isinstance(body, str) else None
    kind = fault.get("type", "application/json;charset=UTF-8")
    return Response(int(fault["status"]), body, dict(fault.get("headers") or {}), kind, content)


def _note(call: Call, query: str, sent: Sent, seconds: float, at: float) -> None:
    size = 0 if sent.response is None else sent.response.size
    call.world.record_call(
        {
            "method": call.method,
            "path": call.path,
            "query": query,
            "org": call.found_org.id if call.found_org else None,
            "user": call.username or None,
            "status": sent.response.status if sent.response else 0,
            "time": at,
            "seconds": round(seconds, 4),
            "bytes": size if sent.cut is None else min(size, sent.cut),
        }
    )


def headers_of(call: Call, response: Response) -> dict[str, str]:
    """The header lines of an answer; the date is the org's own."""
    org = call.found_org
    headers = {"Date": formatdate(org.now().timestamp() if org else None, usegmt=True)}
    if response.status not in {204, 304}:
        headers |= {"Content-Type": response.kind, "Content-Length": str(response.size)}
    headers |= _ALWAYS
    if org is not None and response.status != 401 and not call.path.startswith(_WITHOUT_USAGE):
        headers["Sforce-Limit-Info"] = f"api-usage={org.api_used}/{org.api_limit}"
    return headers | response.headers
