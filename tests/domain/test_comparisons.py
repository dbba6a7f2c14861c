"""Which comparisons each type allows, and what typed text becomes."""

import pytest

from apps.domain.comparisons import check_filter, operators_for, read_operand
from apps.domain.filters import BadFilter, Group, Operator, Rule, evaluate
from apps.domain.values import FieldType
from apps.salesforce.soql import condition

_VALUES = {
    FieldType.BOOLEAN: "true",
    FieldType.DATE: "2026-01-31",
    FieldType.DATETIME: "2026-01-31T09:30",
    FieldType.ID: "00Q000000000001",
    FieldType.REFERENCE: "00Q000000000001",
}


@pytest.mark.parametrize(
    ("kind", "operator"), [(kind, one) for kind in FieldType for one in operators_for(kind)], ids=lambda one: one.value
)
def test_what_is_offered_can_be_asked_of_salesforce_and_evaluated_here(kind: FieldType, operator: Operator) -> None:
    value = read_operand(kind, _VALUES.get(kind, "12"))
    rule = Rule("Field__c", kind, operator, () if operator in {Operator.IS_BLANK, Operator.IS_NOT_BLANK} else (value,))
    check_filter(rule)
    assert condition(rule).startswith("Field__c ")
    expected = operator in {
        Operator.EQUALS, Operator.CONTAINS, Operator.STARTS_WITH, Operator.IN, Operator.LESS_OR_EQUAL,
        Operator.GREATER_OR_EQUAL, Operator.IS_NOT_BLANK,
    }  # fmt: skip
    assert evaluate(rule, {"Field__c": value}) is expected


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (FieldType.STRING, "  Acme ", "Acme"),
        (FieldType.INT, "1,250", "1250"),
        (FieldType.CURRENCY, "1250.50", "1250.5"),
        (FieldType.DATE, "2026-01-31", "2026-01-31"),
        (FieldType.DATETIME, "2026-01-31T09:30", "2026-01-31T09:30:00.000Z"),
        (FieldType.DATETIME, "2026-01-31 09:30:05", "2026-01-31T09:30:05.000Z"),
        (FieldType.REFERENCE, "00Q000000000001", "00Q000000000001EAA"),
        (FieldType.EMAIL, "Ada@Example.com", "ada@example.com"),
    ],
)
def test_typed_text_becomes_a_value(kind: FieldType, typed: str, value: str) -> None:
    assert read_operand(kind, typed) == value


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        (FieldType.STRING, "   ", "Enter a value"),
        (FieldType.STRING, "x" * 300, "at most 255"),
        (FieldType.INT, "many", "no number"),
        (FieldType.INT, "1e999999", "no number"),
        (FieldType.DATE, "31.01.2026", "2026-01-31"),
        (FieldType.DATETIME, "soon", "no date and time"),
        (FieldType.REFERENCE, "' OR 1=1", "no Salesforce id"),
        (FieldType.BOOLEAN, "perhaps", "yes or no"),
    ],
)
def test_what_cannot_be_compared_with_is_refused_in_words(kind: FieldType, typed: str, words: str) -> None:
    with pytest.raises(BadFilter, match=words):
        read_operand(kind, typed)


@pytest.mark.parametrize(
    "tree",
    [
        Rule("Description", FieldType.ADDRESS, Operator.EQUALS, ("x",)),
        Rule("IsActive", FieldType.BOOLEAN, Operator.CONTAINS, ("x",)),
        Rule("City", FieldType.STRING, Operator.EQUALS),
        Rule("Amount", FieldType.CURRENCY, Operator.LESS, ("x",)),
        Group((Rule("City", FieldType.STRING, Operator.IS_BLANK),) * 101),
    ],
)
def test_a_filter_that_cannot_be_asked_is_refused_wherever_it_comes_from(tree: Rule | Group) -> None:
    with pytest.raises(BadFilter):
        check_filter(tree)
