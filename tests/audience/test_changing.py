"""Changing people and companies: what is stored, what is queued, who is told, and what is refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.audience.fields import FIELDS, BadValue, Kind, LocalField, plain_text, read_value
from apps.audience.models import Company, ConsentChange, CustomField, Owner, Person, PersonWord, RecordChange, Source
from apps.audience.selectors.people import PeopleFilter, matching_ids
from apps.audience.services.companies import create_company, deactivate_company, reactivate_company, update_company
from apps.audience.services.people import (
    EmailTaken,
    SourceMissing,
    create_person,
    deactivate_person,
    reactivate_person,
    set_opt_out,
    update_person,
)
from apps.audience.services.records import ExternalKeyTaken, RecordMoved, set_external_key
from apps.audience.services.values import BadValues
from apps.core.db import app_transaction
from apps.outbox.models import OutboundChange
from apps.tenants.actors import KeyActor
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


@pytest.fixture
def ada(in_tenant: Tenant) -> User:
    with app_transaction():
        return User.objects.create_user("ada@northwind.example", "correct horse battery", name="Ada Admin")


def queued() -> dict[tuple[str, int], set[str]]:
    """What waits for Salesforce: (type, id) → fields."""
    return {(row.local_type, row.local_id): set(row.fields) for row in OutboundChange.objects.all()}


def settled() -> None:
    OutboundChange.objects.all().delete()


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (Kind.TEXT, "  Ada \r\n", "Ada"),
        (Kind.TEXT, "a\0b", "ab"),
        (Kind.TEXT, "", ""),
        (Kind.EMAIL, " Ada@Example.COM ", "ada@example.com"),
        (Kind.EMAIL, "", ""),
        (Kind.INTEGER, "1,250", 1250),
        (Kind.INTEGER, "1\u00a0250", 1250),
        (Kind.INTEGER, "250.0", 250),
        (Kind.INTEGER, "-3", -3),
        (Kind.INTEGER, "", None),
        (Kind.DECIMAL, "1,234.505", Decimal("1234.51")),
        (Kind.DECIMAL, "0", Decimal("0")),
        (Kind.DECIMAL, "", None),
        (Kind.DATE, "1815-12-10", date(1815, 12, 10)),
        (Kind.DATE, " ", None),
        (Kind.REFERENCE, "12", 12),
        (Kind.REFERENCE, "", None),
    ],
)
def test_typed_text_becomes_the_value_of_its_field(kind: Kind, typed: str, value: Any) -> None:
    assert read_value(LocalField("x", "X", kind), typed) == value


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        (Kind.EMAIL, "ada", "no e-mail address"),
        (Kind.EMAIL, "a" * 250 + "@example.com", "too long"),
        (Kind.TEXT, "x" * 131_073, "too long"),
        (Kind.INTEGER, "many", "no number"),
        (Kind.INTEGER, "2.5", "whole number"),
        (Kind.INTEGER, "1,5", "no number"),
        (Kind.INTEGER, "9" * 19, "too large"),
        (Kind.DECIMAL, "1e5", "no number"),
        (Kind.DECIMAL, "NaN", "no number"),
        (Kind.DATE, "10.12.1815", "no date"),
        (Kind.DATE, "2026-02-30", "no date"),
        (Kind.REFERENCE, "twelve", "no record"),
        (Kind.REFERENCE, "9" * 30, "no record"),
    ],
)
def test_text_that_does_not_fit_is_refused_in_words(kind: Kind, typed: str, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        read_value(LocalField("x", "X", kind), typed)


@given(kind=st.sampled_from(list(Kind)), typed=st.text(max_size=40) | st.from_regex(r"[0-9,.\-]{1,22}", fullmatch=True))
def test_what_a_form_shows_reads_back_as_the_same_value(kind: Kind, typed: str) -> None:
    target = LocalField("x", "X", kind)
    try:
        value = read_value(target, typed)
    except BadValue:
        return
    assert read_value(target, plain_text(value)) == value


def test_a_new_person_is_found_queued_and_told_of(ada: User) -> None:
    person = create_person(
        values={"first_name": "Ana Maria", "last_name": "Smith", "email": "ANA@Example.com", "employees": "1,200"},
        user=ada,
    )
    person.refresh_from_db()
    assert (person.email, person.employees, person.source, person.version) == ("ana@example.com", 1200, "manual", 1)
    assert matching_ids(PeopleFilter(search="maria")) == [person.pk]
    assert queued() == {("person", person.pk): {"first_name", "last_name", "email", "employees"}}
    assert (OutboundChange.objects.get().fields["email"]["origin"]) == "user"
    told = RecordChange.objects.get()
    assert (told.person_id, told.version, told.actor_label, told.changes) == (person.pk, 1, "Ada Admin", {})


@pytest.mark.parametrize("values", [{}, {"title": "Countess"}, {"last_name": "  "}])
def test_somebody_without_name_and_address_is_not_made(ada: User, values: dict[str, str]) -> None:
    with pytest.raises(BadValues) as refused:
        create_person(values=values, user=ada)
    assert refused.value.errors == {"last_name": "Somebody needs a name or an e-mail address."}


def test_all_that_is_wrong_is_named_at_once(ada: User) -> None:
    with pytest.raises(BadValues) as refused:
        create_person(
            values={"email": "no", "employees": "many", "last_name": "Fine", "company": "77", "score": "1"}, user=ada
        )
    assert refused.value.errors.keys() == {"email", "employees", "company", "score"}
    assert refused.value.errors["company"] == "There is no such company."
    assert not Person.objects.exists()


def test_only_what_differs_is_written_and_queued(ada: User) -> None:
    person = create_person(values={"last_name": "Byron", "title": "Miss", "annual_revenue": "1250.50"}, user=ada)
    settled()
    changed = update_person(
        person=person,
        values={"last_name": "Lovelace", "title": "Miss", "annual_revenue": "1,250.5"},
        seen_version=1,
        user=ada,
    )
    changed.refresh_from_db()
    assert (changed.last_name, changed.version) == ("Lovelace", 2)
    assert changed.updated_at > person.updated_at
    assert queued() == {("person", person.pk): {"last_name"}}
    told = RecordChange.objects.get(version=2)
    assert told.changes == {"last_name": {"before": "Byron", "after": "Lovelace"}}


def test_a_change_that_changes_nothing_writes_nothing(ada: User) -> None:
    person = create_person(values={"last_name": "Byron", "birthdate": "1815-12-10", "employees": "5"}, user=ada)
    settled()
    before = Person.objects.values().get()
    update_person(
        person=person,
        values={"last_name": " Byron ", "birthdate": "1815-12-10", "employees": "5", "title": ""},
        seen_version=1,
        user=ada,
    )
    deactivate_person(person=deactivate_person(person=person, user=ada), user=ada)
    reactivate_person(person=person, user=ada)
    assert {**before, "version": 3, "updated_at": None} == {**Person.objects.values().get(), "updated_at": None}
    assert RecordChange.objects.count() == 3


def test_search_words_follow_the_name(ada: User) -> None:
    person = create_person(values={"first_name": "Ana Maria", "last_name": "Smith"}, user=ada)
    update_person(person=person, values={"first_name": "Ana Lucia"}, seen_version=1, user=ada)
    assert set(PersonWord.objects.values_list("word", flat=True)) == {"lucia"}
    assert matching_ids(PeopleFilter(search="maria")) == []


def test_an_older_form_is_refused_and_names_who_was_faster(ada: User) -> None:
    person = create_person(values={"last_name": "Byron"}, user=ada)
    update_person(person=person, values={"title": "Countess"}, seen_version=1, user=ada)
    Person.objects.filter(id=person.pk).update(version=3, phone="1")  # what a sync does
    settled()
    with pytest.raises(RecordMoved) as moved:
        update_person(person=person, values={"last_name": "Lovelace"}, seen_version=1, user=None)
    assert [(move.who, move.fields) for move in moved.value.moves] == [
        ("Ada Admin", ["title"]),
        ("a sync with Salesforce", []),
    ]
    assert str(moved.value) == "Changed meanwhile by Ada Admin, a sync with Salesforce."
    assert queued() == {}
    assert Person.objects.get().last_name == "Byron"


@pytest.mark.parametrize("is_active", [True, False])
def test_an_address_belongs_to_one_person_even_an_inactive_one(ada: User, is_active: bool) -> None:
    taken = Person.objects.create(email="Ada@Example.com", last_name="Lovelace", is_active=is_active)
    other = create_person(values={"last_name": "King"}, user=ada)
    with pytest.raises(EmailTaken) as refused:
        create_person(values={"email": "ada@example.COM"}, user=ada)
    assert refused.value.person == taken
    with pytest.raises(EmailTaken):
        update_person(person=other, values={"email": "ada@example.com"}, seen_version=1, user=ada)
    assert Person.objects.get(id=other.pk).email == ""


def test_people_without_an_address_may_be_many(ada: User) -> None:
    for name in ("One", "Two"):
        create_person(values={"last_name": name, "email": ""}, user=ada)
    assert Person.objects.count() == 2


def test_references_and_own_fields_are_stored_and_told_by_name(ada: User) -> None:
    company = Company.objects.create(name="Acme")
    owner = Owner.objects.create(remote_id="005A", name="Sally Sales")
    CustomField.objects.create(record_type="person", key="shoes", label="Shoe size", kind="decimal")
    person = create_person(values={"last_name": "Byron"}, user=ada)
    settled()
    typed = {"company": str(company.pk), "owner": str(owner.pk), "custom:shoes": "38.50"}
    row = update_person(person=person, values=typed, seen_version=1, user=ada)
    row.refresh_from_db()
    assert (row.company_id, row.owner_id, row.custom) == (company.pk, owner.pk, {"shoes": "38.5"})
    assert queued() == {("person", person.pk): {"company", "owner", "custom:shoes"}}
    assert RecordChange.objects.get(version=2).changes["owner"] == {"before": "", "after": "Sally Sales"}


def test_another_tenants_company_is_none(ada: User, other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        theirs = Company.objects.create(name="Theirs")
    with pytest.raises(BadValues):
        create_person(values={"last_name": "Byron", "company": str(theirs.pk)}, user=ada)


# -- consent ----------------------------------------------------------------------------------------------------


def test_an_opt_out_is_a_version_is_queued_and_is_written_down(ada: User) -> None:
    person = create_person(values={"last_name": "Byron"}, user=ada)
    settled()
    row = set_opt_out(person=person, opted_out=True, source="", user=ada)
    assert (row.email_opt_out, row.version) == (True, 2)
    assert queued() == {("person", person.pk): {"email_opt_out"}}
    assert [(one.opted_out, one.actor_label) for one in ConsentChange.objects.all()] == [(True, "Ada Admin")]


def test_opting_in_again_demands_its_source(ada: User) -> None:
    person = create_person(values={"last_name": "Byron"}, user=ada)
    set_opt_out(person=person, opted_out=True, source="", user=ada)
    settled()
    with pytest.raises(SourceMissing):
        set_opt_out(person=person, opted_out=False, source="  ", user=ada)
    assert Person.objects.get().email_opt_out is True
    set_opt_out(person=person, opted_out=False, source="Asked for it at the fair", user=ada)
    assert Person.objects.get().email_opt_out is False
    assert queued() == {("person", person.pk): {"email_opt_out"}}
    assert ConsentChange.objects.order_by("id").last().source == "Asked for it at the fair"  # type: ignore[union-attr]


def test_saying_again_what_is_so_writes_nothing(ada: User) -> None:
    person = create_person(values={"last_name": "Byron"}, user=ada)
    settled()
    set_opt_out(person=person, opted_out=False, source="The form", user=ada)
    assert (queued(), ConsentChange.objects.count(), Person.objects.get().version) == ({}, 0, 1)


def test_what_was_written_down_cannot_be_changed(ada: User) -> None:
    person = create_person(values={"last_name": "Byron"}, user=ada)
    set_opt_out(person=person, opted_out=True, source="Call", user=ada)
    for rows in (ConsentChange.objects.all(), RecordChange.objects.all()):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(actor_label="Nobody")


# -- active or not ----------------------------------------------------------------------------------------------


def test_deactivating_touches_nothing_in_salesforce(ada: User) -> None:
    person = create_person(values={"last_name": "Byron"}, user=ada)
    Person.objects.update(leading_sobject="Lead", leading_remote_id="00Q000000000001AAA")
    settled()
    row = deactivate_person(person=Person.objects.get(), user=ada, seen_version=1)
    assert (row.is_active, row.version, queued()) == (False, 2, {})
    assert reactivate_person(person=row, user=ada, seen_version=2).is_active is True
    assert queued() == {}
    with pytest.raises(RecordMoved):
        deactivate_person(person=person, user=ada, seen_version=1)


def test_whoever_is_not_there_yet_is_queued_whole_when_they_come_back(ada: User) -> None:
    person = create_person(values={"last_name": "Byron", "title": "Miss"}, user=ada)
    deactivate_person(person=person, user=ada)
    settled()
    reactivate_person(person=person, user=ada)
    assert queued() == {("person", person.pk): {"last_name", "title"}}


# -- companies --------------------------------------------------------------------------------------------------


def test_a_companys_domain_follows_its_website(ada: User) -> None:
    company = create_company(values={"name": "Acme", "website": "https://www.acme.example/about"}, user=ada)
    company.refresh_from_db()
    assert (company.domain, company.version) == ("acme.example", 1)
    assert queued() == {("company", company.pk): {"name", "website"}}
    settled()
    row = update_company(company=company, values={"website": "", "name": "Acme"}, seen_version=1, user=ada)
    row.refresh_from_db()
    assert (row.domain, row.version, queued()) == ("", 2, {("company", company.pk): {"website"}})


def test_a_company_keeps_a_name(ada: User) -> None:
    with pytest.raises(BadValues):
        create_company(values={"website": "acme.example"}, user=ada)
    company = create_company(values={"name": "Acme"}, user=ada, source=Source.IMPORT)
    with pytest.raises(BadValues):
        update_company(company=company, values={"name": " "}, seen_version=1, user=ada)
    with pytest.raises(RecordMoved):
        update_company(company=company, values={"name": "Other"}, seen_version=4, user=ada)
    assert update_company(company=company, values={"name": "Acme"}, seen_version=1, user=ada).version == 1
    assert deactivate_company(company=company, user=ada).is_active is False
    assert reactivate_company(company=company, user=ada).version == 3


def test_every_field_of_the_registry_has_a_column() -> None:
    for record_type, model in (("person", Person), ("company", Company)):
        columns = {field.attname for field in model._meta.concrete_fields}
        assert {target.column for target in FIELDS[record_type].values()} <= columns


def test_an_external_key_belongs_to_one_person() -> None:
    ada = create_person(values={"last_name": "Lovelace"}, user=None, external_key="crm-1")
    with pytest.raises(ExternalKeyTaken, match="Lovelace"):
        create_person(values={"last_name": "Byron"}, user=None, external_key="crm-1")
    charles = create_person(values={"last_name": "Babbage"}, user=None)
    with pytest.raises(ExternalKeyTaken):
        set_external_key(charles, external_key="crm-1", seen_version=None, user=None)
    set_external_key(ada, external_key="", seen_version=1, user=None)
    assert set_external_key(charles, external_key="crm-1", seen_version=None, user=None).version == 2


def test_what_an_api_key_changes_is_queued_with_its_origin_and_told_by_its_name() -> None:
    company = create_company(values={"name": "Analytical Engines"}, user=KeyActor("API key Website"), origin="api")
    change = OutboundChange.objects.get(local_type="company", local_id=company.pk)
    assert change.fields["name"]["origin"] == "api"
    assert RecordChange.objects.get(company_id=company.pk).actor_label == "API key Website"
