"""Carrying out the actions of a rule that concern our side, in the open transaction."""

from collections.abc import Callable
from datetime import date

from apps.audience.models import List, Sequence
from apps.audience.services.lists import add_to_list, remove_from_list
from apps.audience.services.people import EmailTaken, set_opt_out, update_person
from apps.audience.services.scores import change_score
from apps.audience.services.sequences import IsArchived, enrol, move
from apps.audience.services.values import BadValues
from apps.domain.actions import Action, ActionKind
from apps.domain.transforms import (
    BadTransform,
    Case,
    Unit,
    change_case,
    date_in,
    map_value,
    read_value_map,
    render,
    replace,
    shift_date,
    trim,
)
from apps.sync_actions.effects import ORIGIN, Acting, ActionFailed, Effect, whole
from apps.sync_actions.telling import notify_member, webhook

TODAY = "today"


def act_here(at: Acting, action: Action) -> Effect:
    """Carry out one action. Raises ActionFailed."""
    effect = _HANDLERS[action.kind](at, action)
    if effect.is_done:
        at.refresh()
    return effect


# -- lists and sequences --------------------------------------------------------------------------------------


def _list(action: Action) -> List:
    row: List | None = List.objects.filter(id=whole(action.get("list")), is_active=True).first()
    if row is None:
        raise ActionFailed("The list is not there any more.")
    return row


def _add_to_list(at: Acting, action: Action) -> Effect:
    row = _list(action)
    count = add_to_list(people=[at.person], to=row, origin=ORIGIN, user=at.actor)
    return Effect(f"Added to the list “{row}”" if count else f"On the list “{row}” already", is_done=bool(count))


def _remove_from_list(at: Acting, action: Action) -> Effect:
    row = _list(action)
    count = remove_from_list(people=[at.person], of=row, origin=ORIGIN, user=at.actor)
    return Effect(f"Removed from the list “{row}”" if count else f"Not on the list “{row}”", is_done=bool(count))


def _sequence(action: Action) -> Sequence:
    row: Sequence | None = Sequence.objects.filter(id=whole(action.get("sequence"))).first()
    if row is None:
        raise ActionFailed("The sequence is not there any more.")
    return row


def _enrol(at: Acting, action: Action) -> Effect:
    row = _sequence(action)
    try:
        count = enrol(people=[at.person], sequence=row, origin=ORIGIN, user=at.actor)
    except IsArchived as refusal:
        raise ActionFailed(str(refusal)) from refusal
    return Effect(f"Enrolled in “{row}”" if count else f"In “{row}” already", is_done=bool(count))


def _move(at: Acting, action: Action) -> Effect:
    row = _sequence(action)
    try:
        count = move(people=[at.person], to=row, origin=ORIGIN, user=at.actor)
    except IsArchived as refusal:
        raise ActionFailed(str(refusal)) from refusal
    return Effect(f"Moved to “{row}”" if count else f"In “{row}” already, and taken out of the others")


# -- fields ---------------------------------------------------------------------------------------------------


def _set_field(at: Acting, action: Action) -> Effect:
    return _put(at, action.get("field"), render(action.get("text"), at.values))


def _change_case(at: Acting, action: Action) -> Effect:
    return _transform(at, action, lambda text: change_case(text, Case(action.get("case"))))


def _trim(at: Acting, action: Action) -> Effect:
    return _transform(at, action, trim)


def _replace(at: Acting, action: Action) -> Effect:
    return _transform(at, action, lambda text: replace(text, action.get("find"), action.get("by")))


def _map_value(at: Acting, action: Action) -> Effect:
    pairs = read_value_map(action.get("pairs"))
    return _transform(at, action, lambda text: map_value(text, pairs))


def _transform(at: Acting, action: Action, change: Callable[[str], str]) -> Effect:
    name = action.get("field")
    return _put(at, name, change(at.values.get(name, "")))


def _set_date(at: Acting, action: Action) -> Effect:
    start: date | None = at.now.date()
    if action.get("start") != TODAY:
        start = date_in(at.values.get(action.get("start"), ""))
        if start is None:
            return Effect("No date to count from", is_done=False)
    assert start is not None
    day = shift_date(start, whole(action.get("amount")), Unit(action.get("unit")))
    return _put(at, action.get("field"), day.isoformat())


def _put(at: Acting, name: str, text: str) -> Effect:
    before = at.values.get(name, "")
    if before == text:
        return Effect("The value is right already", before, text, is_done=False)
    try:
        row = update_person(person=at.person, values={name: text}, seen_version=None, user=at.actor, origin=ORIGIN)
    except BadValues as bad:
        raise ActionFailed(f"“{text[:80]}”: {next(iter(bad.errors.values()))}") from bad
    except EmailTaken as taken:
        raise ActionFailed(str(taken)) from taken
    changed = row.version != at.person.version
    return Effect("Changed" if changed else "The value is right already", before, text, is_done=changed)


# -- the rest -------------------------------------------------------------------------------------------------


def _change_score(at: Acting, action: Action) -> Effect:
    points, before = whole(action.get("amount")), at.person.score
    if action.get("how") == "to":
        row = change_score(person=at.person, to=points, origin=ORIGIN, reason=at.rule.name)
    else:
        row = change_score(person=at.person, by=points, origin=ORIGIN, reason=at.rule.name)
    return Effect("Score changed", str(before), str(row.score), is_done=row.score != before)


def _unsubscribe(at: Acting, action: Action) -> Effect:
    if at.person.email_opt_out:
        return Effect("Unsubscribed already", is_done=False)
    set_opt_out(person=at.person, opted_out=True, source=f"Rule “{at.rule.name}”", user=at.actor, origin=ORIGIN)
    return Effect("Unsubscribed", "false", "true")


def carried_out(at: Acting, action: Action, how: Callable[[Acting, Action], Effect]) -> Effect:
    """The effect of an action; one that cannot be carried out says why."""
    try:
        return how(at, action)
    except ActionFailed as failure:
        return Effect(str(failure), is_done=False, has_failed=True)
    except (BadTransform, ValueError) as failure:
        return Effect(f"It cannot be done: {failure}", is_done=False, has_failed=True)


_HANDLERS: dict[ActionKind, Callable[[Acting, Action], Effect]] = {
    ActionKind.ADD_TO_LIST: _add_to_list,
    ActionKind.REMOVE_FROM_LIST: _remove_from_list,
    ActionKind.ENROL: _enrol,
    ActionKind.MOVE_TO_SEQUENCE: _move,
    ActionKind.SET_FIELD: _set_field,
    ActionKind.CHANGE_CASE: _change_case,
    ActionKind.TRIM: _trim,
    ActionKind.REPLACE: _replace,
    ActionKind.MAP_VALUE: _map_value,
    ActionKind.SET_DATE: _set_date,
    ActionKind.CHANGE_SCORE: _change_score,
    ActionKind.UNSUBSCRIBE: _unsubscribe,
    ActionKind.NOTIFY: notify_member,
    ActionKind.WEBHOOK: webhook,
}
