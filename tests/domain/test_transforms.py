"""Transforming texts and dates."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.transforms import (
    BadTransform,
    Case,
    Unit,
    change_case,
    date_in,
    fields_in,
    map_value,
    read_template,
    read_value_map,
    render,
    replace,
    shift_date,
    trim,
)


@pytest.mark.parametrize(
    ("text", "case", "after"),
    [
        ("ANNA-LENA o'brien", Case.TITLE, "Anna-Lena O'Brien"),
        ("mc donald's", Case.TITLE, "Mc Donald's"),
        ("ÉMILE zola", Case.TITLE, "Émile Zola"),
        ("head OF sales", Case.SENTENCE, "Head of sales"),
        ("3rd floor", Case.SENTENCE, "3Rd floor"),
        ("straße", Case.UPPER, "STRASSE"),
        ("ßtraße", Case.TITLE, "Sstraße"),
        ("ADA", Case.LOWER, "ada"),
        ("", Case.TITLE, ""),
    ],
)
def test_case(text: str, case: Case, after: str) -> None:
    assert change_case(text, case) == after


@given(st.text(), st.sampled_from(list(Case)))
def test_changing_case_twice_is_changing_it_once(text: str, case: Case) -> None:
    once = change_case(text, case)
    assert change_case(once, case) == once


@pytest.mark.parametrize(
    ("text", "after"),
    [("  a \t b  ", "a b"), ("a\n\n  b ", "a\n\nb"), ("\u00a0x\u00a0", "x"), ("", "")],
)
def test_trim(text: str, after: str) -> None:
    assert trim(text) == after


@pytest.mark.parametrize(
    ("find", "by", "after"),
    [("vp", "Vice", "Vice of Vice"), ("", "x", "VP of vp"), ("(", "x", "VP of vp"), (" of vp", "", "VP")],
)
def test_replace_takes_what_is_sought_literally(find: str, by: str, after: str) -> None:
    assert replace("VP of vp", find, by) == after


def test_replacement_is_no_pattern() -> None:
    assert replace("a", "a", "\\1 \\g<0>") == "\\1 \\g<0>"


@pytest.mark.parametrize(("text", "after"), [("de", "Germany"), (" DE ", "Germany"), ("fr", "Elsewhere"), ("", "")])
def test_value_maps_know_every_case_and_every_other_value(text: str, after: str) -> None:
    assert map_value(text, read_value_map("DE = Germany\n\n* = Elsewhere")) == after


def test_a_value_that_a_map_does_not_have_stays() -> None:
    assert map_value("FR", read_value_map("DE = Germany")) == "FR"


@pytest.mark.parametrize("typed", ["", "DE Germany", "DE = a\nde = b"])
def test_bad_value_maps_are_told(typed: str) -> None:
    with pytest.raises(BadTransform):
        read_value_map(typed)


@pytest.mark.parametrize(
    ("template", "after"),
    [
        ("Dear {first_name|friend} {last_name}", "Dear friend Byron"),
        ("{ last_name }", "Byron"),
        ("{unknown}", ""),
        ("plain", "plain"),
        ("{event:form}", "Demo {last_name}"),
    ],
)
def test_templates(template: str, after: str) -> None:
    assert render(template, {"last_name": "Byron", "event:form": "Demo {last_name}"}) == after


@pytest.mark.parametrize("template", ["{first", "first}", "{a{b}}", "{nobody}", "{}"])
def test_bad_templates_are_told(template: str) -> None:
    with pytest.raises(BadTransform):
        read_template(template, ["first", "a", "b"])


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text()), st.text(alphabet="ab{}| "))
def test_what_is_put_in_is_never_a_template_again(values: dict[str, str], template: str) -> None:
    try:
        named = set(fields_in(template))
    except BadTransform:
        return
    assert render(template, values) == render(template, {name: values.get(name, "") for name in named})


@pytest.mark.parametrize(
    ("start", "amount", "unit", "after"),
    [
        ("2026-01-31", 1, Unit.MONTHS, "2026-02-28"),
        ("2024-02-29", 1, Unit.YEARS, "2025-02-28"),
        ("2026-03-31", -1, Unit.MONTHS, "2026-02-28"),
        ("2026-11-27", 1, Unit.WORKING_DAYS, "2026-11-30"),
        ("2026-11-27", 6, Unit.WORKING_DAYS, "2026-12-07"),
        ("2026-11-28", 1, Unit.WORKING_DAYS, "2026-11-30"),
        ("2026-11-30", -1, Unit.WORKING_DAYS, "2026-11-27"),
        ("2026-11-27", 2, Unit.WEEKS, "2026-12-11"),
        ("2026-11-27", -27, Unit.DAYS, "2026-10-31"),
    ],
)
def test_dates_are_shifted(start: str, amount: int, unit: Unit, after: str) -> None:
    assert shift_date(date.fromisoformat(start), amount, unit).isoformat() == after


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(-60, 60))
def test_working_days_end_on_one(start: date, amount: int) -> None:
    after = shift_date(start, amount, Unit.WORKING_DAYS)
    if amount:
        assert after.weekday() < 5


@pytest.mark.parametrize(("amount", "unit"), [(100_000, Unit.DAYS), (9_000, Unit.YEARS), (-3_000, Unit.YEARS)])
def test_what_leaves_the_calendar_is_told(amount: int, unit: Unit) -> None:
    with pytest.raises(BadTransform):
        shift_date(date(2026, 1, 1), amount, unit)


@pytest.mark.parametrize(("text", "found"), [("2026-01-31T10:00:00Z", date(2026, 1, 31)), ("soon", None), ("", None)])
def test_dates_in_texts(text: str, found: date | None) -> None:
    assert date_in(text) == found
