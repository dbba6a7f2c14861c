"""List views: their names, and what each asks for (REST API guide, "List Views" and "List View Describe")."""

from typing import Any

from emulator.call import Call, Response
from emulator.errors import not_found
from emulator.ids import full_id
from emulator.schema import SObject

_TODAY = {"field": "CreatedDate", "operator": "equals", "values": ["TODAY"]}


def answer(call: Call, sobject: SObject, tail: str) -> Response:
    """``listviews``, or ``listviews/<id or developer name>/describe``."""
    views = _views(call, sobject)
    named, _, verb = tail.removeprefix("listviews").strip("/").partition("/")
    base = f"/services/data/v{call.version}/sobjects/{sobject.name}/listviews"
    if not named:
        listed = [_entry(view, base) for view in views]
        body = {"done": True, "listviews": listed, "nextRecordsUrl": None, "size": len(listed)}
        return Response(200, {**body, "sobjectType": sobject.name})
    view = next((one for one in views if named in {one["id"], one["developerName"]}), None)
    if view is None or verb not in {"", "describe"}:
        raise not_found()
    return Response(200, _entry(view, base) if not verb else _described(view, sobject))


def _views(call: Call, sobject: SObject) -> list[dict[str, Any]]:
    """What every org has of an object, and what the switch ``list_views`` adds."""
    many = f"{sobject.label}s"
    own: list[dict[str, Any]] = [
        {"label": f"All {many}", "scope": "everything", "where": None},
        {"label": f"My {many}", "scope": "mine", "where": None},
        {"label": f"Today's {many}", "scope": "everything", "where": {"conditions": [_TODAY], "conjunction": "and"}},
        *call.org.options["list_views"].get(sobject.name, ()),
    ]
    first = sum(map(ord, sobject.name)) * 100
    return [
        {
            **view,
            "id": full_id("00B", call.org.pod, first + number),
            "developerName": "".join(letter for letter in view["label"] if letter.isalnum()),
        }
        for number, view in enumerate(own, 1)
    ]


def _entry(view: dict[str, Any], base: str) -> dict[str, Any]:
    url = f"{base}/{view['id']}"
    return {
        "describeUrl": f"{url}/describe",
        "developerName": view["developerName"],
        "id": view["id"],
        "label": view["label"],
        "resultsUrl": f"{url}/results",
        "soqlCompatible": view.get("soqlCompatible", True),
        "url": url,
    }


def _described(view: dict[str, Any], sobject: SObject) -> dict[str, Any]:
    column = {"fieldNameOrPath": "Name", "hidden": False, "label": "Name", "selectListItem": "Name", "type": "string"}
    return {
        "columns": [column],
        "id": view["id"],
        "orderBy": [{"fieldNameOrPath": "Id", "nullsPosition": "first", "sortDirection": "ascending"}],
        "query": f"SELECT Name, Id FROM {sobject.name}",
        "relatedEntityId": None,
        "scope": view["scope"],
        "scopeEntityId": None,
        "sobjectType": sobject.name,
        "whereCondition": view["where"],
    }
