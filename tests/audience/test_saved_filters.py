"""Saved filters: which records one admits, how far it looks, and what cannot be saved."""

from typing import Any

import pytest

from apps.audience.models import Company, CustomField, Person, SavedFilter
from apps.audience.selectors import saved_filters as selectors
from apps.audience.selectors.saved_filters import Sieve, matching
from apps.audience.services.saved_filters import CannotSave, remove_filter, save_filter
from apps.tenants.models import AuditEntry, Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def rule(field: str, operator: str, *values: str, kind: str = "string") -> dict[str, Any]:
    return {"field": field, "type": kind, "operator": operator, "values": list(values)}


def every(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"all_of": True, "parts": list(parts)}


def names(found: selectors.Found) -> list[str]:
    return [Person.objects.get(id=number).last_name for number in found.ids]


def test_a_filter_admits_by_fields_and_by_custom_fields_newest_first() -> None:
    CustomField.objects.create(record_type="person", key="tier", label="Tier", kind="text")
    for last, title, tier in [("A", "CEO", "gold"), ("B", "ceo", "silver"), ("C", "CTO", "gold"), ("D", "CEO", "gold")]:
        Person.objects.create(last_name=last, title=title, custom={"tier": tier})
    sieve = Sieve("person", every(rule("title", "equals", "Ceo"), rule("custom:tier", "in", "gold")))
    assert names(matching(sieve, Person.objects.all(), wanted=50)) == ["D", "A"]


def test_numbers_are_compared_as_numbers() -> None:
    for last, count in [("few", 9), ("many", 100), ("none", None)]:
        Person.objects.create(last_name=last, employees=count)
    sieve = Sieve("person", rule("employees", "greater", "50", kind="double"))
    assert names(matching(sieve, Person.objects.all(), wanted=50)) == ["many"]


def test_an_indexed_condition_drives_the_query_and_the_rest_is_looked_at() -> None:
    Person.objects.create(last_name="Smith", email="a@x.example", city="Rome")
    Person.objects.create(last_name="smith", email="b@x.example", city="Oslo")
    Person.objects.create(last_name="Jones", email="c@x.example", city="Rome")
    sieve = Sieve("person", every(rule("city", "equals", "rome"), rule("last_name", "starts_with", "SMI")))
    found = matching(sieve, Person.objects.all(), wanted=50)
    assert names(found) == ["Smith"]
    assert found.looked_at == 2


def test_a_condition_in_an_either_or_drives_nothing() -> None:
    tree = {"all_of": False, "parts": [rule("last_name", "equals", "a"), rule("city", "equals", "b")]}
    assert Sieve("person", tree).drive() is None


def test_a_filter_without_an_index_stops_in_time_and_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_LOOKED_AT", 4)
    monkeypatch.setattr(selectors, "_STRIDE", 2)
    for number in range(10):
        Person.objects.create(last_name=str(number), city="Rome" if number in {0, 9} else "")
    sieve = Sieve("person", rule("city", "equals", "Rome"))
    first = matching(sieve, Person.objects.all(), wanted=50)
    assert (names(first), first.looked_at) == (["9"], 4)
    second = matching(sieve, Person.objects.all(), wanted=50, after=first.after)
    third = matching(sieve, Person.objects.all(), wanted=50, after=second.after)
    assert names(second) + names(third) == ["0"]
    assert third.after is None


def test_a_page_is_as_long_as_wanted_and_the_next_one_follows_it() -> None:
    for number in range(5):
        Person.objects.create(last_name=str(number), city="Rome")
    sieve = Sieve("person", rule("city", "is_not_blank"))
    first = matching(sieve, Person.objects.all(), wanted=3)
    assert names(first) == ["4", "3", "2"]
    assert names(matching(sieve, Person.objects.all(), wanted=3, after=first.after)) == ["1", "0"]


def test_what_can_no_longer_be_read_admits_nobody() -> None:
    Company.objects.create(name="Acme")
    assert matching(Sieve("company", {"field": "name"}), Company.objects.all(), wanted=9).ids == []


def test_saving_changing_and_removing_are_written_down() -> None:
    saved = save_filter(record_type="person", name="  In  Rome ", tree=every(rule("city", "equals", "Rome")), user=None)
    assert saved.name == "In Rome"
    save_filter(record_type="person", name="Romans", tree=saved.tree, user=None, existing=saved)
    remove_filter(saved=saved, user=None)
    assert not SavedFilter.objects.exists()
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["filter_saved", "filter_changed", "filter_removed"]


@pytest.mark.parametrize(
    ("name", "tree", "words"),
    [
        ("", every(rule("city", "equals", "Rome")), "Give the filter a name."),
        ("x" * 81, every(rule("city", "equals", "Rome")), "too long"),
        ("x", every(), "at least one rule"),
        ("x", {"nonsense": 1}, "incomplete"),
        ("x", every(rule("salary", "equals", "1")), "no field “salary”"),
        ("x", every(rule("company", "equals", "1")), "no field “company”"),
        ("x", every(rule("city", "equals")), "compared with one to"),
        ("x", every(rule("employees", "less", "many", kind="double")), "no number"),
        ("x", every(rule("employees", "less", "9")), "cannot be compared"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(name: str, tree: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotSave, match=words):
        save_filter(record_type="person", name=name, tree=tree, user=None)


def test_a_name_is_there_once_for_each_kind_of_record(in_tenant: Tenant) -> None:
    tree = every(rule("website", "is_blank"))
    save_filter(record_type="person", name="Twice", tree=tree, user=None)
    save_filter(record_type="company", name="Twice", tree=tree, user=None)
    with pytest.raises(CannotSave, match="has this name"):
        save_filter(record_type="person", name="TWICE", tree=tree, user=None)
