"""The REST API below /services/data: which resource answers."""

import re
from typing import Any

from emulator.api import bulk, collections, composite, list_views, metadata, records
from emulator.api.login import authenticate
from emulator.call import Call, Response
from emulator.describe import describe, global_entry
from emulator.errors import bare, not_found
from emulator.soql.run import PAGE, next_page, run_query
from emulator.store import column

FIRST_VERSION, LAST_VERSION = 31, 67
_SEASONS = ("Summer", "Winter", "Spring")
_LIMITS = {
    "AnalyticsExternalDataSizeMB": 40960, "ConcurrentAsyncGetReportInstances": 200, "ConcurrentSyncReportRuns": 20,
    "DailyApiRequests": 0, "DailyAsyncApexExecutions": 250000, "DailyAsyncApexTests": 500, "DailyBulkApiBatches": 15000,
    "DailyBulkV2QueryFileStorageMB": 976562, "DailyBulkV2QueryJobs": 10000, "DailyDeliveredPlatformEvents": 10000,
    "DailyDurableStreamingApiEvents": 10000, "DailyGenericStreamingApiEvents": 10000,
    "DailyStandardVolumePlatformEvents": 10000, "DailyStreamingApiEvents": 10000, "DailyWorkflowEmails": 8040,
    "DataStorageMB": 1024, "DurableStreamingApiConcurrentClients": 20, "FileStorageMB": 1024,
    "HourlyAsyncReportRuns": 1200, "HourlyDashboardRefreshes": 200, "HourlyODataCallout": 1000,
    "HourlyPublishedPlatformEvents": 50000, "HourlySyncReportRuns": 500, "HourlyTimeBasedWorkflow": 1000,
    "MassEmail": 5000, "PermissionSets": 1500, "SingleEmail": 5000, "StreamingApiConcurrentClients": 20,
}  # fmt: skip
_RESOURCES = ("tooling", "folders", "eclair", "prechatForms", "contact-tracing", "jsonxform", "chatter", "payments",
              "tabs", "appMenu", "quickActions", "queryAll", "commerce", "wave", "iot", "analytics", "search",
              "smartdatadiscovery", "identity", "composite", "parameterizedSearch", "fingerprint", "theme",
              "nouns", "domino", "event", "serviceTemplates", "recent", "connect", "licensing", "limits", "process",
              "dedupe", "async-queries", "query", "jobs", "match", "localizedvalue", "mobile", "emailConnect",
              "consent", "tokenizer", "compactLayouts", "knowledgeManagement", "sobjects", "actions",
              "support")  # fmt: skip


def versions() -> list[dict[str, str]]:
    """rest/list-versions-200.json"""
    listed = []
    for number in range(FIRST_VERSION, LAST_VERSION + 1):
        turn, year = (number - FIRST_VERSION) % 3, 14 + (number - FIRST_VERSION + 2) // 3
        label = f"{_SEASONS[turn]} '{year}"
        listed.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return listed


def answer_data(call: Call) -> Response:
    """Authenticate, count the call, and find the resource."""
    found = re.fullmatch(r"/services/data(?:/v(\d+)\.0(/.*)?)?/?", call.path)
    if found is None:
        raise not_found()
    if found.group(1) is None:
        return Response(200, versions())
    authenticate(call)
    if not FIRST_VERSION <= int(found.group(1)) <= LAST_VERSION:
        raise not_found()
    call.version = f"{found.group(1)}.0"
    _check_allowed(call)
    call.org.count_call()
    return resource(call, (found.group(2) or "").strip("/"))


def _check_allowed(call: Call) -> None:
    org = call.org
    if not org.options["api_enabled"]:
        raise bare("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", 403)
    user = org.user_by_id(call.user_id) or {}
    profile = org.store.row("Profile", user.get("ProfileId") or "") or {}
    if profile.get("PermissionsApiEnabled") == "false":
        raise bare("API_CURRENTLY_DISABLED", "API is disabled for this user", 403)
    if org.options["maintenance"] == "down":
        raise bare("SERVER_UNAVAILABLE", "server too busy", 503)
    if org.api_used >= org.api_limit:
        raise bare("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)


def _check_jobs(call: Call) -> None:
    """During read-only maintenance no job begins and none is read (fault F16); the wording is assumed."""
    if call.org.options["maintenance"]:
        message = "Bulk jobs are not available during maintenance"
        raise bare("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", message, 503)


def resource(call: Call, path: str) -> Response:
    """The answer of one resource; also of a subrequest of Composite."""
    head, _, rest = path.partition("/")
    if head in {"query", "queryAll"}:
        return _more(call, rest) if rest else _query(call, include_deleted=head == "queryAll")
    if head == "sobjects":
        return _sobjects(call, rest)
    if head == "composite":
        if rest.startswith("sobjects"):
            return collections.answer(call, rest.removeprefix("sobjects").strip("/"))
        return composite.answer(call, rest, resource)
    if head == "jobs":
        _check_jobs(call)
        return bulk.answer(call, rest)
    if head == "metadata":
        return metadata.answer(call, rest)
    if head == "limits":
        return _limits(call, rest)
    if head in {"search", "parameterizedSearch"}:
        return _search(call)
    if head == "recent":
        return Response(200, [])
    if not path:
        base = f"/services/data/v{call.version}"
        return Response(200, {name: f"{base}/{name}" for name in _RESOURCES})
    raise not_found()


def _query(call: Call, *, include_deleted: bool) -> Response:
    text = call.query.get("q")
    if not text:
        raise bare("MALFORMED_QUERY", "A query string has to be specified")
    wish = call.headers.get("sforce-query-options", "").partition("batchSize=")[2]
    page = min(PAGE, max(200, int(wish))) if wish.isdigit() else PAGE
    view = call.view(include_deleted=include_deleted)
    answer = run_query(call.org, view, text, call.version, page)
    if answer.cursor is not None:
        call.world.cursors[answer.cursor.id] = (call.org.id, answer.cursor)
    return Response(200, answer.body(call.version))


def _more(call: Call, locator: str) -> Response:
    cursor_id, _, start = locator.partition("-")
    org_id, cursor = call.world.cursors.get(cursor_id, ("", None))
    if cursor is None or org_id != call.org.id or not start.isdigit():
        raise bare("INVALID_QUERY_LOCATOR", "invalid query locator")
    return Response(200, next_page(call.org, cursor, int(start), call.version).body(call.version))


def _sobjects(call: Call, rest: str) -> Response:
    schema = call.org.visible
    if not rest:
        entries = [global_entry(sobject, call.version) for sobject in schema.objects.values()]
        return Response(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries})
    name, _, tail = rest.partition("/")
    sobject = schema.find(name)
    if sobject is None:
        raise not_found()
    if tail == "describe":
        types = call.org.store.rows("RecordType", {"SobjectType": sobject.name, "IsActive": "true"})
        answer = describe(schema, sobject, call.version, call.base, types)
        return Response(200, answer, {"ETag": f'"{abs(hash(str(answer))):x}--gzip"'})
    if tail.startswith("listviews") and call.method == "GET":
        return list_views.answer(call, sobject, tail)
    if not tail and call.method == "GET":
        entry = global_entry(sobject, call.version)
        return Response(200, {"objectDescribe": entry, "recentItems": []})
    return records.answer(call, sobject, tail)


def _limits(call: Call, rest: str) -> Response:
    if rest == "recordCount":
        wanted = [name for name in call.query.get("sObjects", "").split(",") if name]
        names = [s.name for s in call.org.visible.objects.values() if not wanted or s.name in wanted]
        counts = [{"count": call.org.store.count(name), "name": name} for name in names]
        return Response(200, {"sObjects": counts})
    limits: dict[str, Any] = {name: {"Max": most, "Remaining": most} for name, most in _LIMITS.items()}
    org = call.org
    limits["DailyApiRequests"] = {"Max": org.api_limit, "Remaining": max(0, org.api_limit - org.api_used)}
    return Response(200, limits)


def _search(call: Call) -> Response:
    """Words in names and e-mail addresses, without SOSL's finer points."""
    text = call.query.get("q", "")
    braced = re.search(r"FIND\s*\{(.*?)\}", text, re.IGNORECASE)
    if "parameterizedSearch" not in call.path:
        if braced is None:
            raise bare("MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces.")
        text = braced.group(1)
    wanted = [name for name in call.query.get("sobject", "").split(",") if name] or ["Account", "Contact", "Lead"]
    found: list[dict[str, Any]] = []
    for name in wanted:
        sobject = call.org.visible.find(name)
        if sobject is None:
            continue
        columns = [column(key) for key in ("Name", "Email") if key in sobject.fields]
        test = " OR ".join(f"{one} LIKE ?" for one in columns)
        statement = f'SELECT "Id" FROM {column(sobject.name)} WHERE ({test}) AND "IsDeleted" = \'false\' LIMIT 200'
        for (one,) in call.org.store.connection.execute(statement, [f"%{text.strip('*')}%"] * len(columns)):
            url = f"/services/data/v{call.version}/sobjects/{sobject.name}/{one}"
            found.append({"attributes": {"type": sobject.name, "url": url}, "Id": one})
    return Response(200, {"searchRecords": found})
