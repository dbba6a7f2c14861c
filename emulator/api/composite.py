"""Several requests in one: composite with references, batch, and graph."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from emulator.call import KNOWN_ERRORS, Call, Response, refusal
from emulator.errors import bare, not_found

Resource = Callable[[Call, str], Response]

_MOST = 25
_MOST_LARGE = 5
_LARGE = re.compile(r"/v\d+\.\d+/(query|queryAll|composite/sobjects)\b")
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."


class _Failed(Exception):
    """Undo an all-or-none composite."""


class _NoReference(Exception):
    """A reference to something that an earlier answer does not hold."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        name = path.partition(".")[0].partition("[")[0]
        self.message = f"Invalid reference specified. No value for {path} found in {name}"


def answer(call: Call, rest: str, resource: Resource) -> Response:
    """``composite``, ``composite/batch`` and ``composite/graph``."""
    if call.method != "POST":
        raise not_found()
    data = call.fields()
    if rest == "batch":
        return _batch(call, data, resource)
    if rest == "graph":
        return _graphs(call, data, resource)
    if rest:
        raise not_found()
    requests = data.get("compositeRequest") or []
    all_or_none = bool(data.get("allOrNone"))
    return Response(200, {"compositeResponse": _composite(call, requests, resource, all_or_none=all_or_none)})


def _composite(
    call: Call, requests: list[dict[str, Any]], resource: Resource, *, all_or_none: bool
) -> list[dict[str, Any]]:
    if not requests or len(requests) > _MOST:
        raise bare("LIMIT_EXCEEDED", f"Composite takes 1 to {_MOST} subrequests, {len(requests)} were given")
    if sum(bool(_LARGE.search(str(request.get("url")))) for request in requests) > _MOST_LARGE:
        raise bare("LIMIT_EXCEEDED", f"Composite takes at most {_MOST_LARGE} queries and collections")
    answers: dict[str, Any] = {}
    responses: list[dict[str, Any]] = []
    if not all_or_none:
        return [_element(request, _perform(call, request, answers, resource), answers) for request in requests]
    try:
        with call.org.store.transaction():
            for request in requests:
                response = _perform(call, request, answers, resource)
                responses.append(_element(request, response, answers))
                if response.status >= 400:
                    raise _Failed
    except _Failed:
        failed = responses[-1]
        return [failed if request["referenceId"] == failed["referenceId"] else _halted(request) for request in requests]
    return responses


def _halted(request: dict[str, Any]) -> dict[str, Any]:
    """errors/quoted/STRING_TOO_LONG-composite-200.json"""
    body = [{"errorCode": "PROCESSING_HALTED", "message": _HALTED}]
    return {"body": body, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": request["referenceId"]}


def _element(request: dict[str, Any], response: Response, answers: dict[str, Any]) -> dict[str, Any]:
    reference = str(request.get("referenceId", ""))
    body = response.payload
    if response.body is not None:
        body = response.body.decode() or None
    answers[reference] = body
    headers = {name: value for name, value in response.headers.items() if name in {"Location", "ETag", "Last-Modified"}}
    if response.status == 200 and "Location" not in headers:
        headers = {}
    return {"body": body, "httpHeaders": headers, "httpStatusCode": response.status, "referenceId": reference}


def _perform(call: Call, request: dict[str, Any], answers: dict[str, Any], resource: Resource) -> Response:
    try:
        url = _filled(str(request["url"]), answers)
        body = _filled_body(request.get("body"), answers)
        inner = _subrequest(
            call, str(request.get("method", "GET")).upper(), url, body, request.get("httpHeaders") or {}
        )
        return resource(inner, inner.path)
    except _NoReference as error:
        return Response(400, [{"errorCode": "PROCESSING_HALTED", "message": error.message}])
    except KNOWN_ERRORS as error:
        return refusal(call, error)


def _subrequest(call: Call, method: str, url: str, body: Any, headers: dict[str, str]) -> Call:
    """The call of a subrequest; its path is that of the resource."""
    parts = urlsplit(url.replace("#", "%23"))
    found = re.fullmatch(r"(?:/services/data)?/?v(\d+\.0)/(.*)", unquote(parts.path))
    if found is None:
        raise not_found()
    query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
    inner = call.within(method, found.group(2).strip("/"), query, body, headers)
    inner.version = found.group(1)
    return inner


def _filled(text: str, answers: dict[str, Any]) -> str:
    return _REFERENCE.sub(lambda found: str(_look_up(found.group(1), answers)), text)


def _filled_body(body: Any, answers: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {key: _filled_body(value, answers) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled_body(value, answers) for value in body]
    if isinstance(body, str) and (whole := _REFERENCE.fullmatch(body)):
        return _look_up(whole.group(1), answers)
    return _filled(body, answers) if isinstance(body, str) else body


def _look_up(path: str, answers: dict[str, Any]) -> Any:
    value: Any = answers
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise _NoReference(path)
    if value is None or isinstance(value, (dict, list)):
        raise _NoReference(path)
    return value


def _batch(call: Call, data: dict[str, Any], resource: Resource) -> Response:
    """Independent subrequests, each of which counts as a call (recorded/composite/batch-200.json)."""
    requests = data.get("batchRequests") or []
    if not requests or len(requests) > _MOST:
        raise bare("LIMIT_EXCEEDED", f"Batch takes 1 to {_MOST} subrequests, {len(requests)} were given")
    results: list[dict[str, Any]] = []
    for request in requests:
        if results and data.get("haltOnError") and results[-1]["statusCode"] >= 400:
            body = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request."}]
            results.append({"statusCode": 412, "result": body})
            continue
        call.org.count_call()
        rich = request.get("richInput")
        url = "/services/data/" + str(request["url"]).removeprefix("/services/data/").lstrip("/")
        response = _perform(call, {"method": request.get("method", "GET"), "url": url, "body": rich}, {}, resource)
        results.append({"statusCode": response.status, "result": response.payload})
    return Response(200, {"hasErrors": any(r["statusCode"] >= 400 for r in results), "results": results})


def _graphs(call: Call, data: dict[str, Any], resource: Resource) -> Response:
    graphs = []
    for graph in data.get("graphs") or []:
        responses = _composite(call, graph["compositeRequest"], resource, all_or_none=True)
        is_successful = all(response["httpStatusCode"] < 400 for response in responses)
        graphs.append(
            {
                "graphId": graph["graphId"],
                "graphResponse": {"compositeResponse": responses},
                "isSuccessful": is_successful,
            }
        )
    return Response(200, {"graphs": graphs})
