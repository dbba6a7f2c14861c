"""Checking what somebody typed into a rule, with each mistake in words."""

from collections.abc import Collection, Mapping

from apps.domain.actions import ACTIONS, Action, ActionKind, Needs, Param
from apps.domain.commands import remote_values
from apps.domain.rows import EXTERNAL_ID, OPT_OUT
from apps.domain.transforms import BadTransform, read_template, read_value_map
from apps.domain.values import clean_text
from apps.integrations.metadata import cached_schema
from apps.sync_actions.choices import FREE, Choices, is_chosen

_LARGEST = 100_000
_OBJECTS = {
    ActionKind.CRM_PERSON: ("Lead", "Contact"),
    ActionKind.CRM_ACCOUNT: ("Account",),
}
_EMPTY = {
    Needs.LIST: "There is no list yet.",
    Needs.SEQUENCE: "There is no sequence yet.",
    Needs.ENDPOINT: "There is no webhook yet.",
    Needs.CAMPAIGN: "There is no Campaign here yet: they come in with a full sync.",
}


def cleaned(kind: str, typed: Mapping[str, str]) -> Action:
    """An action of what was typed; what its kind is not told is left out."""
    spec = ACTIONS[ActionKind(kind)]
    return Action(spec.kind, {param.name: clean_text(typed.get(param.name, "")) for param in spec.params})


def mistakes(action: Action, *, known: Collection[str], choices: Choices) -> dict[str, str]:
    """What is wrong with an action, by param. ``known`` are the fields that its templates may name."""
    found = {}
    for param in action.spec.params:
        words = _mistake(action, param, action.get(param.name), known, choices)
        if words:
            found[param.name] = words
    return found


def _mistake(action: Action, param: Param, text: str, known: Collection[str], choices: Choices) -> str:
    if not text:
        return _missing(param, choices) if param.is_required else ""
    if len(text) > param.longest:
        return f"At most {param.longest:,} characters."
    if is_chosen(param) and param.needs not in FREE and text not in dict(choices.of(param)):
        return "Choose one of the list."
    try:
        return _bad_text(action, param, text, list(known), choices)
    except BadTransform as bad:
        return str(bad)


def _missing(param: Param, choices: Choices) -> str:
    if is_chosen(param) and not choices.of(param):
        return _EMPTY.get(param.needs, "Nothing to choose from yet: connect Salesforce first.")
    return "Choose one." if is_chosen(param) else "This is needed."


def _bad_text(action: Action, param: Param, text: str, known: list[str], choices: Choices) -> str:
    match param.needs:
        case Needs.TEMPLATE | Needs.LONG_TEMPLATE:
            read_template(text, known)
        case Needs.LINES:
            read_value_map(text)
        case Needs.WHOLE:
            return _bad_whole(text)
        case Needs.REMOTE_VALUES:
            return _bad_values(action, text, known, choices)
        case _:
            pass
    return ""


def _bad_whole(text: str) -> str:
    bare = text.removeprefix("-")
    if not (bare.isascii() and bare.isdecimal() and len(bare) < 12):
        return "This has to be a whole number, such as 7."
    return f"At most {_LARGEST:,}." if int(bare) > _LARGEST else ""


def _bad_values(action: Action, text: str, known: list[str], choices: Choices) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        if "=" not in line:
            return f"Line {number} has no “=”. One looks like: LeadSource = Web."
    values = remote_values(text)
    for name, template in values.items():
        if name in {OPT_OUT, EXTERNAL_ID, "Id"}:
            return f"{name} is not for a rule to set."
        read_template(template, known)
    if choices.connection is None:
        return ""
    schemas = [schema for one in _OBJECTS[action.kind] if (schema := cached_schema(choices.connection, one))]
    for name in values:
        fields = [schema.fields[name] for schema in schemas if name in schema.fields]
        if schemas and not fields:
            return f"Salesforce has no field {name} there that the sync user can see."
        if fields and not any(one.createable or one.updateable for one in fields):
            return f"{name} is read-only in Salesforce."
    return ""
