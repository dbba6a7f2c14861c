"""The filter builder: a tree survives the form, mistakes stand beside their rows, buttons change rows."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.http import QueryDict
from django.template import engines

from apps.console.filter_builder import DEEPEST, FilterForm
from apps.console.filter_words import FilterField, filter_words
from apps.console.mappings.shown import remote_filter_fields
from apps.console.moving_dates import MOVING_DATES
from apps.domain.comparisons import check_filter
from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.values import FieldType
from apps.salesforce.schema import object_schema

FIELDS = [
    FilterField("City", "City", FieldType.STRING),
    FilterField("Status", "Status", FieldType.PICKLIST, (("Open", "Open - Not Contacted"), ("Closed", "Closed"))),
    FilterField("Employees", "Employees", FieldType.INT),
    FilterField("Born", "Born", FieldType.DATE),
    FilterField("Seen", "Seen", FieldType.DATETIME),
    FilterField("Active", "Active", FieldType.BOOLEAN),
    FilterField("Address", "Address", FieldType.ADDRESS),
]
CITY = Rule("City", FieldType.STRING, Operator.CONTAINS, ("Lon",))
OPEN = Rule("Status", FieldType.PICKLIST, Operator.IN, ("Open", "Gone"))
MANY = Rule("City", FieldType.STRING, Operator.NOT_IN, ("Paris", "Rome, Italy"))
BIG = Rule("Employees", FieldType.INT, Operator.GREATER_OR_EQUAL, ("250",))
BORN = Rule("Born", FieldType.DATE, Operator.IS_BLANK)
SEEN = Rule("Seen", FieldType.DATETIME, Operator.LESS, ("2026-01-31T09:30:00.000Z",))
ACTIVE = Rule("Active", FieldType.BOOLEAN, Operator.EQUALS, ("true",))


class _Fields(HTMLParser):
    """What a browser would send of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = QueryDict(mutable=True)
        self._select = self._area = ""
        self._first = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select, self._first = given["name"], True
        elif tag == "option" and (self._first or "selected" in given):
            self.sent[self._select] = given["value"]
            self._first = False
        elif tag == "textarea":
            self._area = given["name"]
            self.sent[self._area] = ""
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.sent.appendlist(given["name"], given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] = data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


def page(form: FilterForm) -> str:
    template = engines["django"].from_string(
        '{% cotton filter-builder :form="form" action="/here/" label="Filter" / %}'
    )
    return template.render({"form": form})


def sent(form: FilterForm) -> QueryDict:
    parser = _Fields()
    parser.feed(page(form))
    return parser.sent


def posted(**values: str) -> FilterForm:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data[f"filter.{name.replace('_', '.')}"] = value
    return FilterForm.posted(FIELDS, data)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        Group((CITY,)),
        Group((CITY, OPEN, MANY, BIG, BORN, SEEN, ACTIVE), all_of=False),
        Group((CITY, Group((BIG, Group((OPEN, BORN))), all_of=False))),
        Group((Group((Group((Group((CITY, BIG)), OPEN)), BORN)), ACTIVE)),
    ],
    ids=["none", "one", "each kind", "nested", "deeper than the builder makes them"],
)
def test_a_filter_comes_back_from_the_page_as_it_went_there(tree: Filter | None) -> None:
    form = FilterForm.posted(FIELDS, sent(FilterForm(FIELDS, tree)))
    assert form.is_valid(), page(form)
    assert form.tree == tree
    assert not form.is_asking


def test_a_single_rule_is_shown_as_a_group_of_one() -> None:
    assert FilterForm(FIELDS, CITY).tree == Group((CITY,))


def test_fields_that_salesforce_cannot_filter_by_are_not_offered() -> None:
    assert "Address" not in FilterForm(FIELDS).fields


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"0_field": "City", "0_operator": "contains", "0_value": " "}, "Enter a value"),
        ({"0_field": "", "0_operator": "equals", "0_value": "London"}, "Choose a field."),
        ({"0_field": "Shoe", "0_operator": "equals", "0_value": "9"}, "not there any more"),
        ({"0_field": "Active", "0_operator": "contains", "0_value": "x"}, "Choose how to compare “Active”: is."),
        ({"0_field": "City", "0_operator": "' OR", "0_value": "x"}, "Choose how to compare"),
        ({"0_field": "Born", "0_operator": "less", "0_value": "yesterday"}, "This is no date."),
        ({"0_field": "Employees", "0_operator": "less", "0_value": "<b>"}, "This is no number."),
        ({"0_field": "City", "0_operator": "in", "0_value": "\n".join(map(str, range(300)))}, "too many values"),
        ({"0_field": "City", "0_operator": "equals", "0_value": "x" * 5000}, "too long"),
    ],
)
def test_a_mistake_is_said_beside_its_row(values: dict[str, str], words: str) -> None:
    form = posted(**values)
    assert not form.is_valid()
    assert words in form.root.parts[0].error  # type: ignore[union-attr]  # a rule
    assert words.replace("'", "&#x27;") in page(form)


def test_an_empty_row_is_no_rule_and_no_mistake() -> None:
    form = posted(match="any", **{"0_field": "", "0_operator": "equals", "0_value": ""})
    assert form.is_valid()
    assert form.tree is None


def test_add_rule_add_group_and_remove_change_the_rows_and_keep_what_was_typed() -> None:
    form = FilterForm(FIELDS, Group((CITY,)))
    for asked in ("rule:", "group:", "rule:2", "remove:1"):
        data = sent(form)
        data["filter.do"] = asked
        form = FilterForm.posted(FIELDS, data)
        assert form.is_asking
    assert [row.path for row in form.root.rows()] == ["0", "2.0", "2.1"]
    assert form.tree == Group((CITY,))
    assert "autofocus" in page(form)


def test_no_group_is_offered_below_the_deepest() -> None:
    form = FilterForm(FIELDS)
    for asked in ("group:", "group:1", "group:1.1", "group:1.1.1"):
        data = sent(form)
        data["filter.do"] = asked
        form = FilterForm.posted(FIELDS, data)
    assert page(form).count("Add group") == DEEPEST - 1


@pytest.mark.parametrize(
    "asked", ["remove:9", "rule:x", "group:99.99.99", "drop table", "choose:", "rule:" + "1." * 99]
)
def test_a_forged_button_changes_nothing(asked: str) -> None:
    data = sent(FilterForm(FIELDS, Group((CITY, BIG))))
    data["filter.do"] = asked
    assert FilterForm.posted(FIELDS, data).tree == Group((CITY, BIG))


def test_hostile_text_is_shown_as_text() -> None:
    form = posted(**{"0_field": '"><script>', "0_operator": "equals", "0_value": "<script>alert(1)</script>"})
    form.is_valid()
    assert "<script>" not in page(form)


def test_thousands_of_rows_are_refused_in_words() -> None:
    data = QueryDict(mutable=True)
    for number in range(150):
        data[f"filter.{number}.field"], data[f"filter.{number}.operator"] = "Born", "is_blank"
    form = FilterForm.posted(FIELDS, data)
    assert not form.is_valid()
    assert form.error == "A filter has at most 100 rules."


def test_two_filters_of_one_page_do_not_mix() -> None:
    data = sent(FilterForm(FIELDS, Group((CITY,)), prefix="inbound"))
    for name, value in sent(FilterForm(FIELDS, Group((BIG,)), prefix="outbound")).items():
        data[name] = str(value)
    assert FilterForm.posted(FIELDS, data, prefix="inbound").tree == Group((CITY,))
    assert FilterForm.posted(FIELDS, data, prefix="outbound").tree == Group((BIG,))


def test_a_filter_is_said_as_a_sentence() -> None:
    tree = Group((CITY, Group((OPEN, SEEN), all_of=False)))
    assert filter_words(tree, FilterForm(FIELDS).fields) == (
        "City contains “Lon” and (Status is one of “Open - Not Contacted” or “Gone” or Seen is before "
        "31 January 2026, 09:30 UTC)"
    )


MOVING = [
    FilterField("Born", "Born", FieldType.DATE, moves=True),
    FilterField("Seen", "Seen", FieldType.DATETIME, moves=True),
]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule("Seen", FieldType.DATETIME, Operator.EQUALS, ("LAST_N_DAYS:30",)), "Seen is in the last 30 days"),
        (Rule("Seen", FieldType.DATETIME, Operator.NOT_EQUALS, ("THIS_YEAR",)), "Seen is not in this year"),
        (Rule("Seen", FieldType.DATETIME, Operator.LESS, ("N_MONTHS_AGO:3",)), "Seen is before 3 months ago"),
        (SEEN, "Seen is before 31 January 2026, 09:30 UTC"),
        (Rule("Born", FieldType.DATE, Operator.EQUALS, ("TODAY",)), "Born is today"),
        (Rule("Born", FieldType.DATE, Operator.LESS, ("LAST_N_DAYS:0",)), "Born is before the last 0 days"),
        (Rule("Born", FieldType.DATE, Operator.EQUALS, ("2026-01-31",)), "Born is on 31 January 2026"),
        (
            Rule("Born", FieldType.DATE, Operator.GREATER_OR_EQUAL, ("NEXT_N_QUARTERS:2",)),
            "Born is on or after the next 2 quarters",
        ),
        (BORN, "Born is empty"),
    ],
)
def test_a_date_is_chosen_from_a_list_and_said_in_words(rule: Rule, words: str) -> None:
    form = FilterForm.posted(MOVING, sent(FilterForm(MOVING, rule)))
    assert form.is_valid(), page(form)
    assert form.tree == Group((rule,))
    assert filter_words(rule, form.fields) == words


def test_every_date_that_is_offered_can_be_asked_for() -> None:
    for one in MOVING_DATES.values():
        form = FilterForm.posted(MOVING, dated("Seen", moving=one.value, count="12" if one.is_counted else ""))
        assert form.is_valid(), one
        assert form.tree is not None
        check_filter(form.tree, moves=True)


@pytest.mark.parametrize(
    ("moving", "count", "words"),
    [
        ("LAST_N_DAYS", "", "Enter how many days."),
        ("N_MONTHS_AGO", " ", "Enter how many months."),
        ("LAST_N_DAYS", "many", "“many” is no number of days. Enter a whole number up to 999."),
        ("LAST_N_YEARS", "-1", "no number of years"),
        ("LAST_N_YEARS", "9999", "no number of years"),
        ("LAST_N_DAYS", "٣٠", "no number of days"),
        ("LAST_N_DAYS", "9" * 5000, "no number of days"),
        ("LAST_FISCAL_YEAR", "1", "Choose a date."),
        ("<script>", "", "Choose a date."),
        ("fixed", "", "Choose days that move, or compare with before or after."),
    ],
)
def test_a_mistake_in_a_moving_date_is_said_beside_its_row(moving: str, count: str, words: str) -> None:
    form = FilterForm.posted(MOVING, dated("Seen", moving=moving, count=count))
    assert not form.is_valid()
    (row,) = form.root.rows()
    assert words in row.error
    assert words in page(form)
    assert "<script>" not in page(form)


def test_a_moment_is_first_asked_for_by_days_and_a_day_by_itself() -> None:
    (moment,) = FilterForm.posted(MOVING, dated("Seen")).root.rows()
    (day,) = FilterForm.posted(MOVING, dated("Born")).root.rows()
    assert (moment.widget, moment.moving_choice) == ("moving", "LAST_N_DAYS")
    assert (day.widget, day.moving_choice, day.day_widget) == ("moving", "fixed", "date")


def test_a_date_that_cannot_move_is_a_day() -> None:
    rule = Rule("Born", FieldType.DATE, Operator.LESS, ("LAST_N_DAYS:30",))
    assert not FilterForm([FilterField("Born", "Born", FieldType.DATE)], rule).is_valid()
    assert [row.widget for row in FilterForm(FIELDS, SEEN).root.rows()] == ["datetime-local"]


def dated(name: str, **values: str) -> QueryDict:
    data = QueryDict(mutable=True)
    for key, value in {"field": name, "operator": "equals", "value": "", **values}.items():
        data[f"filter.0.{key}"] = value
    return data


def test_a_record_type_is_chosen_and_said_by_its_name(salesforce_truth: Path) -> None:
    described = json.loads((salesforce_truth / "describe" / "Account.person-accounts.json").read_text())
    fields = {one.name: one for one in remote_filter_fields(object_schema(described))}
    rule = Rule("RecordTypeId", FieldType.REFERENCE, Operator.EQUALS, ("0125j000000RqVlAAK",))
    form = FilterForm(fields.values(), rule)
    (row,) = form.root.rows()
    assert row.widget == "select"
    assert [one.label for one in row.choices if one.is_chosen] == ["Organization"]
    assert filter_words(rule, fields) == "Record Type ID is “Organization”"
