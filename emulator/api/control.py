"""The control API below /_control: what tests and the demo ask of the emulator (docs/emulator.md)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from emulator.api.canvas import signed_request
from emulator.api.login import DEFAULT_SCOPE, token_answer
from emulator.call import Call, Response
from emulator.errors import bare, not_found
from emulator.faults import Fault
from emulator.grants import CLIENT_ID, App
from emulator.lifecycle import convert, merge
from emulator.org import Fate, Lock, Org
from emulator.records import Writer
from emulator.rules import Author
from emulator.seed_cache import seed_cached
from emulator.soql.run import next_page, run_query, view_of
from emulator.values import moment_text

_LOCKS = {
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record or 1 records: {id}",
    "ENTITY_IS_LOCKED": "the entity is locked for editing",
    "INSUFFICIENT_ACCESS_OR_READONLY": "insufficient access rights on object id",
}
_OPTIONS = frozenset({
    "name", "edition", "api_enabled", "api_limit", "campaigns", "person_accounts", "package_fields", "hide_opt_out",
    "hidden", "read_only", "triggers", "validation_rules", "duplicate_rules", "custom_objects", "custom_fields",
    "upsert_meets_deleted", "clock_shift", "authorize_error", "token_error", "is_sandbox",
    "concurrent_limit", "slow_beyond", "maintenance", "field_changes", "clock_at",
    "assignment_owner",
    "deploy_errors", "forbid_deploy",
    "security_token", "soap_error", "password_expired",
    "list_views",
})  # fmt: skip


def control(call: Call) -> Response:
    """Find the verb."""
    path = call.path.removeprefix("/_control/").strip("/")
    if path == "health":
        return Response(200, {"ok": True})
    if path == "orgs":
        return (
            _create_org(call)
            if call.method == "POST"
            else Response(200, [_org_json(o) for o in call.world.orgs.values()])
        )
    found = re.fullmatch(r"orgs/(\w{15,18})(?:/(\w+))?", path)
    if found:
        org = call.world.org(found.group(1))
        return _org_verb(call, org, found.group(2)) if found.group(2) else _org(call, org)
    verb = _WORLD.get(path)
    if verb is None:
        raise not_found("no such control")
    return verb(call)


def _org_json(org: Org) -> dict[str, Any]:
    return {"id": org.id, "name": org.name, "users": org.users, "options": org.options, "api_used": org.api_used}


def _create_org(call: Call) -> Response:
    data = call.fields()
    plan = data.pop("seed", None)
    org = call.world.create_org(data)
    if plan:
        seed_cached(org, plan)
    return Response(200, _org_json(org))


def _org(call: Call, org: Org) -> Response:
    if call.method == "DELETE":
        call.world.delete_org(org.id)
        return Response(200, {})
    if call.method == "PATCH":
        data = call.fields()
        if unknown := data.keys() - _OPTIONS:
            raise bare("INVALID_FIELD", f"unknown options: {', '.join(sorted(unknown))}")
        org.change(data)
        call.world.save()
    return Response(200, _org_json(org))


# -- the whole emulator -----------------------------------------------------------------------------------------


def _apps(call: Call) -> Response:
    grants = call.world.grants
    if call.method == "POST":
        app = App(**call.fields())
        grants.apps[app.client_id] = app
        call.world.save()
    return Response(
        200, [{"client_id": a.client_id, "name": a.name, "callbacks": a.callbacks} for a in grants.apps.values()]
    )


def _calls(call: Call) -> Response:
    wanted, org_id = call.query.get("path", ""), call.query.get("org")
    with call.world.lock:
        found = [c for c in call.world.calls if re.search(wanted, c["path"]) and org_id in (None, c["org"])]
        if call.method == "DELETE":
            call.world.calls.clear()
    return Response(200, found)


def _faults(call: Call) -> Response:
    with call.world.lock:
        if call.method == "DELETE":
            call.world.faults.clear()
        elif call.method == "POST":
            call.world.faults.append(Fault(call.fields()))
        return Response(200, [{**fault.facts, "seen": fault.seen} for fault in call.world.faults])


def _tokens(call: Call) -> Response:
    """``expire`` sessions, ``revoke`` approvals, switch ``rotate``, set ``lifetime`` or ``shift`` the grants' clock."""
    data, grants = call.fields(), call.world.grants
    org_id = call.world.org(data["org"]).id if data.get("org") else None
    if data.get("expire", not data.keys() & {"rotate", "lifetime", "shift", "revoke"}):
        grants.expire(org_id)
    if data.get("revoke"):
        grants.revoke_all(org_id)
    if "rotate" in data:
        for app in grants.apps.values():
            app.rotates = bool(data["rotate"])
    grants.lifetime = float(data.get("lifetime", grants.lifetime))
    grants.shift = float(data.get("shift", grants.shift))
    call.world.save()
    return Response(200, {"sessions": len(grants.access), "approvals": len(grants.grants)})


_WORLD: dict[str, Callable[[Call], Response]] = {"apps": _apps, "calls": _calls, "faults": _faults, "tokens": _tokens}


# -- one org ----------------------------------------------------------------------------------------------------


def _org_verb(call: Call, org: Org, verb: str) -> Response:
    act = _ORG.get(verb)
    if act is None:
        raise not_found("no such control")
    answer = act(call, org, call.data() if call.body else {})
    return Response(200, {} if answer is None else answer)


def perform(call: Call, acts: list[dict[str, Any]]) -> None:
    """What a fault does besides: ``{"org": id, "verb": "update", …}`` each."""
    for act in acts:
        facts = {key: value for key, value in act.items() if key not in {"org", "verb"}}
        _ORG[act["verb"]](call, call.world.org(act["org"]), facts)


def _author(org: Org, data: dict[str, Any]) -> Author:
    """A Salesforce user at a page: the first one unless another is named.

    ``stamp`` (a time) or ``late`` (seconds) makes a change that was long in coming.
    """
    user = org.users[data["as_user"]] if data.get("as_user") else next(iter(org.users.values()))
    stamp = data.get("stamp")
    if data.get("late"):
        stamp = moment_text(org.now() - timedelta(seconds=float(data["late"])))
    return Author(user["id"], is_api=False, stamp=stamp, allows_duplicates=True)


def _grant(call: Call, org: Org, data: dict[str, Any]) -> Any:
    """The token answer that a consent of a user (the first one) to an app (the default one) brings."""
    grants = call.world.grants
    app = grants.apps[data.get("client_id") or CLIENT_ID]
    username = data.get("user") or next(iter(org.users))
    access, token, grant = grants.approve(org, username, app, data.get("scope") or DEFAULT_SCOPE)
    call.world.save()
    return token_answer(call, app, org, access, token, grant.refresh_token)


def _canvas(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return {"signed_request": signed_request(call, org, data)}


def _seed(call: Call, org: Org, data: dict[str, Any]) -> Any:
    made = seed_cached(org, data)
    call.world.save()
    return made


def _create(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return {"id": Writer(org, _author(org, data)).create(data["sobject"], data["values"])}


def _update(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return {"id": Writer(org, _author(org, data)).update(data["sobject"], data["id"], data["values"])}


def _delete(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return {"id": Writer(org, _author(org, data)).delete(data["sobject"], data["id"])}


def _undelete(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return {"id": Writer(org, _author(org, data)).undelete(data["sobject"], data["id"])}


def _purge(call: Call, org: Org, data: dict[str, Any]) -> Any:
    Writer(org, _author(org, data)).purge(data["sobject"], data["id"])


def _merge(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return {"id": merge(org, _author(org, data), data["sobject"], data["master"], data["losers"])}


def _convert(call: Call, org: Org, data: dict[str, Any]) -> Any:
    return convert(
        org, _author(org, data), data["id"], account_id=data.get("account"), contact_id=data.get("contact"),
        opportunity=data.get("opportunity"), status=data.get("status"),
    )  # fmt: skip


def _query(call: Call, org: Org, data: dict[str, Any]) -> Any:
    """All rows, deleted ones too unless ``include_deleted`` is false, without their attributes."""
    view = view_of(org, org.schema, include_deleted=data.get("include_deleted", True), is_api=False)
    answer = run_query(org, view, data["soql"], "66.0")
    records = list(answer.records)
    cursor, start = answer.cursor, answer.following
    while cursor is not None:
        page = next_page(org, cursor, start, "66.0")
        records += page.records
        cursor, start = page.cursor, page.following
    return [_plain(record) for record in records] or ([{"count": answer.total}] if answer.total else [])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key != "attributes"}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _hide(call: Call, org: Org, data: dict[str, Any]) -> Any:
    org.change({"hidden": list(data["fields"])})
    call.world.save()


def _invisible(call: Call, org: Org, data: dict[str, Any]) -> Any:
    org.store.set_invisible(data["ids"], visible=bool(data.get("visible")))


def _lock(call: Call, org: Org, data: dict[str, Any]) -> Any:
    code = data.get("code", "UNABLE_TO_LOCK_ROW")
    for one in data["ids"]:
        org.locks[one] = Lock(code, data.get("message") or _LOCKS[code], int(data.get("times", 1)))


def _fields(call: Call, org: Org, data: dict[str, Any]) -> Any:
    org.change({"custom_fields": [*org.options["custom_fields"], *data["fields"]]})
    call.world.save()


def _objects(call: Call, org: Org, data: dict[str, Any]) -> Any:
    fields = [{"sobject": o["name"], **f} for o in data["objects"] for f in o.get("fields", ())]
    objects = [{key: value for key, value in o.items() if key != "fields"} for o in data["objects"]]
    org.change({
        "custom_objects": [*org.options["custom_objects"], *objects],
        "custom_fields": [*org.options["custom_fields"], *fields],
    })  # fmt: skip
    call.world.save()


def _users(call: Call, org: Org, data: dict[str, Any]) -> Any:
    user_id = call.world.add_user(org, data)
    call.world.save()
    return {"id": user_id, "username": data["username"], "password": org.users[data["username"]]["password"]}


def _password(call: Call, org: Org, data: dict[str, Any]) -> Any:
    call.world.set_password(org, data["username"], data["password"])


def _clock(call: Call, org: Org, data: dict[str, Any]) -> Any:
    if "at" in data:
        org.change({"clock_at": data["at"], "clock_shift": 0})
    elif "by" in data:
        org.change({"clock_shift": float(org.options["clock_shift"]) + float(data["by"])})
    elif "shift" in data:
        org.change({"clock_shift": float(data["shift"])})
    call.world.save()
    return {"now": org.stamp()}


def _usage(call: Call, org: Org, data: dict[str, Any]) -> Any:
    org.api_used = int(data.get("used", org.api_used))
    org.change({"api_limit": int(data.get("limit", org.api_limit))})
    return {"used": org.api_used, "limit": org.api_limit}


def _change(call: Call, org: Org, data: dict[str, Any]) -> Any:
    org.change(data)
    call.world.save()


def _cursors(call: Call, org: Org, data: dict[str, Any]) -> Any:
    with call.world.lock:
        for key in [key for key, (org_id, _) in call.world.cursors.items() if org_id == org.id]:
            del call.world.cursors[key]


def _doom(call: Call, org: Org, data: dict[str, Any]) -> Any:
    org.fates.append(Fate(data["kind"], data["what"], int(data.get("times", 1)), int(data.get("after_rows", 0))))


def _job(call: Call, org: Org, data: dict[str, Any]) -> Any:
    jobs = call.world.query_jobs if data["id"] in call.world.query_jobs else call.world.ingest_jobs
    if data["state"] == "gone":
        del jobs[data["id"]]
    else:
        jobs[data["id"]].state = data["state"]


_ORG: dict[str, Callable[[Call, Org, dict[str, Any]], Any]] = {
    "grant": _grant, "canvas": _canvas,
    "seed": _seed, "create": _create, "update": _update, "delete": _delete, "undelete": _undelete,
    "purge": _purge,
    "merge": _merge, "convert": _convert, "query": _query, "hide": _hide, "invisible": _invisible, "lock": _lock,
    "fields": _fields, "objects": _objects, "users": _users, "password": _password, "clock": _clock, "usage": _usage,
    "change": _change, "cursors": _cursors, "doom": _doom, "job": _job,
}  # fmt: skip
