"""What of a list view can be taken over, and what is said of the rest (C12)."""

from typing import Any

import pytest

from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.list_views import imported
from apps.domain.values import FieldType

TYPES = {
    "City": ("City", FieldType.STRING),
    "Status": ("Lead Status", FieldType.PICKLIST),
    "AnnualRevenue": ("Annual Revenue", FieldType.CURRENCY),
    "IsUnreadByOwner": ("Unread", FieldType.BOOLEAN),
    "CreatedDate": ("Created Date", FieldType.DATETIME),
    "Skills__c": ("Skills", FieldType.MULTIPICKLIST),
}


def one(field: str, operator: str, *values: str) -> dict[str, Any]:
    return {"field": field, "operator": operator, "values": list(values)}


def both(*conditions: Any, conjunction: str = "and") -> dict[str, Any]:
    return {"conditions": list(conditions), "conjunction": conjunction}


LONDON = Rule("City", FieldType.STRING, Operator.EQUALS, ("London",))
OPEN = Rule("Status", FieldType.PICKLIST, Operator.IN, ("Open", "New"))


@pytest.mark.parametrize(
    ("where", "tree"),
    [
        (None, None),
        (one("City", "equals", "London"), Group((LONDON,))),
        (one("City", "equals", "'London'"), Group((LONDON,))),
        (
            one("City", "equals", "'Land\\'s End'"),
            Group((Rule("City", FieldType.STRING, Operator.EQUALS, ("Land's End",)),)),
        ),
        (one("City", "equals", "null"), Group((Rule("City", FieldType.STRING, Operator.IS_BLANK),))),
        (one("City", "notEquals", ""), Group((Rule("City", FieldType.STRING, Operator.IS_NOT_BLANK),))),
        (one("City", "like", "'%on%'"), Group((Rule("City", FieldType.STRING, Operator.CONTAINS, ("on",)),))),
        (one("City", "like", "Lon%"), Group((Rule("City", FieldType.STRING, Operator.STARTS_WITH, ("Lon",)),))),
        (
            one("AnnualRevenue", "greaterThenOrEqualTo", "1000.0"),
            Group((Rule("AnnualRevenue", FieldType.CURRENCY, Operator.GREATER_OR_EQUAL, ("1000",)),)),
        ),
        (
            one("IsUnreadByOwner", "equals", "true"),
            Group((Rule("IsUnreadByOwner", FieldType.BOOLEAN, Operator.EQUALS, ("true",)),)),
        ),
        (
            one("CreatedDate", "lessThan", "LAST_N_DAYS:30"),
            Group((Rule("CreatedDate", FieldType.DATETIME, Operator.LESS, ("LAST_N_DAYS:30",)),)),
        ),
        (
            one("CreatedDate", "equals", "today"),
            Group((Rule("CreatedDate", FieldType.DATETIME, Operator.EQUALS, ("TODAY",)),)),
        ),
        (
            one("CreatedDate", "lessThan", "2026-01-31T00:00:00Z"),
            Group((Rule("CreatedDate", FieldType.DATETIME, Operator.LESS, ("2026-01-31T00:00:00.000Z",)),)),
        ),
        (
            both(one("City", "equals", "London"), one("Status", "in", "Open", "New"), conjunction="or"),
            Group((LONDON, OPEN), all_of=False),
        ),
        (
            {"condition": one("City", "equals", "London")},
            Group((Rule("City", FieldType.STRING, Operator.NOT_EQUALS, ("London",)),)),
        ),
    ],
)
def test_what_is_understood_becomes_a_filter(where: Any, tree: Filter | None) -> None:
    found = imported(where, "everything", TYPES)
    assert (found.tree, found.left_out) == (tree, [])


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (one("CreatedDate", "equals", "THIS_WEEK"), "“Created Date” cannot be compared in this way here"),
        (one("CreatedDate", "lessThan", "LAST_N_WEEKS:3"), "cannot be read here"),
        (one("CreatedDate", "like", "TODAY%"), "“Created Date” cannot be compared in this way with"),
        (one("Owner.Name", "equals", "Ada"), "“Owner.Name” is not a field of the object itself"),
        (one("Skills__c", "includes", "SQL"), "in a way that filters here do not have"),
        (one("City", "notLike", "%on%"), "in a way that filters here do not have"),
        (one("City", "like", "L_ndon"), "a pattern"),
        (one("AnnualRevenue", "greaterThan", "much"), "cannot be read"),
        ({"condition": both(one("City", "equals", "x"), one("City", "equals", "y"))}, "“not” has no counterpart"),
        ("<b>", "nested too deeply"),
        ({}, "is not a field"),
    ],
)
def test_what_is_not_understood_is_left_out_and_said(condition: Any, words: str) -> None:
    found = imported(both(one("City", "equals", "London"), condition), "everything", TYPES)
    assert found.tree == Group((LONDON,))
    assert len(found.left_out) == 1
    assert words in found.left_out[0]


def test_of_an_or_that_is_not_wholly_understood_nothing_is_taken_over() -> None:
    found = imported(
        both(one("City", "equals", "London"), one("Owner.Name", "equals", "Ada"), conjunction="or"), "everything", TYPES
    )
    assert found.tree is None
    assert any("joined by “or”" in words for words in found.left_out)


@pytest.mark.parametrize("scope", ["mine", "queue", "team", "<script>"])
def test_a_scope_is_said(scope: str) -> None:
    assert len(imported(None, scope, TYPES).left_out) == 1


def test_deep_nesting_ends() -> None:
    where: Any = one("City", "equals", "London")
    for _ in range(50):
        where = both(where)
    assert imported(where, "", TYPES).tree is None
