"""/services/data/vXX/metadata/deployRequest: begin, look, cancel."""

import json
from email import policy
from email.parser import BytesParser
from typing import Any

from emulator.call import Call, Response
from emulator.deploy import begin, look
from emulator.errors import bare, not_found


def answer(call: Call, rest: str) -> Response:
    """The answer of one resource."""
    head, _, deploy_id = rest.partition("/")
    if head != "deployRequest":
        raise not_found()
    org = call.org
    if org.options["forbid_deploy"]:
        words = "insufficient access rights on cross-reference id: Modify Metadata Through Metadata API Functions"
        raise bare("INSUFFICIENT_ACCESS", words, 403)
    if not deploy_id and call.method == "POST":
        parts = _parts(call)
        made = begin(org, parts.get("file", b""), _options(parts.get("json", b"")))
        return Response(201, {"id": made.id, "deployOptions": made.options, "deployResult": made.result()})
    found = org.deployments.get(deploy_id)
    if found is None:
        raise not_found()
    if call.method == "PATCH":
        if found.status in {"Pending", "InProgress"}:
            found.status = "Canceling"
        return Response(202, {"id": found.id, "deployResult": found.result()})
    result = look(org, found, call.author).result()
    call.world.save()
    return Response(200, {"id": found.id, "deployResult": result})


def _parts(call: Call) -> dict[str, bytes]:
    """The parts of a multipart form by their names."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise bare("UNSUPPORTED_MEDIA_TYPE", f"Unsupported content type: {kind}", 415)
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + call.body)
    found: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content
    return found


def _options(text: bytes) -> dict[str, Any]:
    try:
        options = json.loads(text)["deployOptions"]
    except (ValueError, KeyError, TypeError):
        raise bare("JSON_PARSER_ERROR", "The deploy options cannot be read.") from None
    return dict(options)
