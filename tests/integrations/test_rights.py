"""What the pre-flight says of writing: object by object and field by field, for what the steps write (A06)."""

from dataclasses import replace
from typing import Any

import pytest

from apps.domain.ports import ObjectSchema
from apps.integrations.checks import OrgState, Outcome, Rights, findings
from apps.salesforce.schema import object_schema


def lead(**rights: Any) -> ObjectSchema:
    def field(name: str, **flags: bool) -> dict[str, Any]:
        return {"name": name, "label": name, "type": "string"} | {"createable": True, "updateable": True} | flags

    fields = [field("Email"), field("Title"), field("Score", createable=False, updateable=False)]
    described = {"name": "Lead", "label": "Lead", "createable": True, "updateable": True, "fields": fields}
    return replace(object_schema(described), **rights)


@pytest.mark.parametrize(
    ("schema", "need", "outcome", "words"),
    [
        (lead(), {"create": True, "update": True, "fields": ["Email", "Title"]}, Outcome.PASS, "all 2 fields"),
        (lead(createable=False), {"create": True, "fields": []}, Outcome.WARNING, "may not create Lead"),
        (lead(createable=False), {"update": True, "fields": ["Email"]}, Outcome.PASS, "can be written"),
        (
            lead(createable=False, updateable=False),
            {"create": True, "update": True, "fields": []},
            Outcome.WARNING,
            "may not create or edit Lead",
        ),
        (lead(), {"update": True, "fields": ["Email", "Score"]}, Outcome.WARNING, "may not set Score"),
        (lead(), {"update": True, "fields": ["Gone__c"]}, Outcome.PASS, "can be written"),
        (None, {"create": True, "fields": []}, Outcome.WARNING, "cannot see"),
    ],
)
def test_rights_to_write_are_named_where_they_are_missing(
    schema: ObjectSchema | None, need: dict[str, Any], outcome: Outcome, words: str
) -> None:
    state = OrgState("Enterprise Edition", {"Lead": schema} if schema else {}, writes={"Lead": need})
    found = next(one for one in findings(state) if one.key == "writes_Lead")
    assert found.outcome is outcome
    assert words in found.finding
    assert bool(found.fix) is (outcome is not Outcome.PASS)


def test_what_is_not_written_is_not_asked() -> None:
    state = OrgState("Enterprise Edition", {"Lead": lead()}, needed={"Lead": ["Email"]})
    assert not [one for one in findings(state) if one.key.startswith("writes_")]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            "2026-03-05T10:00:00.000+0000",
            "It was last set on 5 March 2026. Under Salesforce's default of 90 days it holds until 3 June 2026; ",
        ),
        ("", "runs out one day, and the sync stops with it."),
        ("9999-12-31T10:00:00.000+0000", "runs out one day, and the sync stops with it."),
        ("soon", "runs out one day, and the sync stops with it."),
    ],
)
def test_a_password_that_runs_out_is_told_with_the_day_on_which_it_was_set(changed: str, words: str) -> None:
    rights = Rights(password_never_expires=False, password_changed=changed)
    found = next(one for one in findings(OrgState("Enterprise Edition", {}, rights)) if one.key == "password")
    assert found.outcome is Outcome.WARNING
    assert words in found.finding
    assert found.finding.endswith((words, "may say otherwise."))
