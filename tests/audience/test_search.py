"""Search finds people by any word of theirs, and each way to match stays on its index under row-level security."""

from collections.abc import Sequence
from typing import Any

import pytest

from apps.audience.models import Company, Person, PersonWord, Source
from apps.audience.selectors import companies as company_search
from apps.audience.selectors.people import PeopleFilter, matching_ids, people, prefix_branch
from apps.core.search import begins_with
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.plans import indexes_of

pytestmark = pytest.mark.usefixtures("in_tenant")


def person(first: str, last: str, email: str = "", **more: Any) -> Person:
    made: Person = Person.objects.create(first_name=first, last_name=last, email=email, **more)
    return made


def found(search: str, **filters: Any) -> list[str]:
    ids = matching_ids(PeopleFilter(search=search, **filters))
    return sorted(str(row) for row in Person.objects.filter(id__in=ids))


@pytest.fixture
def crowd(in_tenant: Tenant) -> None:
    ana = person("Ana Maria", "Smith", "ana@example.com", company_name="Acme Corp", source=Source.SALESFORCE)
    person("Bob", "Smith", "bob@example.org", company_name="Globex", email_opt_out=True)
    person("Jürgen", "Müller", "JM@Beispiel.de", is_active=False)
    person("李", "雷", "", leading_sobject="Contact", leading_remote_id="003000000000001AAA")
    person("Vincent", "van der Berg", "vincent@example.net")
    PersonWord.objects.create(word="maria", person_id=ana.pk)


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("smith", ["Ana Maria Smith", "Bob Smith"]),
        ("SMI", ["Ana Maria Smith", "Bob Smith"]),
        ("maria", ["Ana Maria Smith"]),
        ("ana smith", ["Ana Maria Smith"]),
        ("smith ana", ["Ana Maria Smith"]),
        ("smith acme", ["Ana Maria Smith"]),
        ("acme corp", ["Ana Maria Smith"]),
        ("smith globex corp", []),
        ("van der berg", ["Vincent van der Berg"]),
        ("vincent berg", ["Vincent van der Berg"]),
        ("bob@example.org", ["Bob Smith"]),
        ("jm@b", ["Jürgen Müller"]),
        ("müll", ["Jürgen Müller"]),
        ("李", ["李 雷"]),
        ("%", []),
        ("_mith", []),
        ("'; drop table audience_person; --", []),
    ],
)
def test_words_find_people_by_their_beginning(search: str, names: list[str]) -> None:
    assert found(search) == names


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"opted_out": True}, ["Bob Smith"]),
        ({"source": Source.SALESFORCE}, ["Ana Maria Smith"]),
        ({"linked": True}, []),
        ({"active": True}, ["Ana Maria Smith", "Bob Smith"]),
    ],
)
def test_filters_hold_inside_a_search(filters: dict[str, Any], names: list[str]) -> None:
    assert found("smith", **filters) == names


@pytest.mark.usefixtures("crowd")
def test_a_search_of_many_words_is_one_question(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        found_ids = matching_ids(PeopleFilter(search="ana maria smith acme corp and more words than anyone needs"))
    assert len(found_ids) == 1


@pytest.mark.usefixtures("crowd")
def test_another_tenants_people_are_not_found(other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        person("Eve", "Smith", "eve@example.com")
        assert found("smith") == ["Eve Smith"]
    assert found("eve") == []


@pytest.mark.parametrize(
    ("column", "index"),
    [
        ("last_key", "person_by_last_name"),
        ("first_key", "person_by_first_name"),
        ("email_key", "person_email_once"),
        ("company_key", "person_by_company_name"),
    ],
)
def test_each_prefix_is_a_range_on_its_index(column: str, index: str) -> None:
    # An empty table is read by any index that is to hand.
    Person.objects.bulk_create(
        Person(first_name=f"F{n}", last_name=f"L{n}", email=f"{n}@example.com", company_name=f"C{n}")
        for n in range(1000)
    )
    uses = indexes_of(prefix_branch(people(PeopleFilter()), column, "smi"))
    assert [(use.name, ">= 'smi'" in use.condition) for use in uses] == [(index, True)]


def test_words_of_names_are_a_range_on_their_key() -> None:
    uses = indexes_of(PersonWord.objects.filter(begins_with("word", "mar")).order_by("word").values("person_id")[:10])
    assert ["word" in use.condition for use in uses] == [True]


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        (PeopleFilter(linked=False), {"person_unlinked"}),
        (PeopleFilter(active=False), {"person_inactive"}),
        (PeopleFilter(opted_out=True), {"person_opted_out"}),
        (PeopleFilter(sobject="Contact"), {"person_is_contact"}),
        (PeopleFilter(source=Source.FORM), {"person_of_other_source"}),
        (PeopleFilter(company_id=7), {"person_of_company"}),
    ],
)
def test_rare_filters_have_an_index_of_their_own(wanted: PeopleFilter, indexes: set[str]) -> None:
    Person.objects.bulk_create(
        Person(last_name=f"Ordinary {n}", source=Source.SALESFORCE, leading_sobject="Lead") for n in range(1000)
    )
    order = [] if wanted.company_id else ["-id"]
    assert {use.name for use in indexes_of(people(wanted).order_by(*order)[:50])} == indexes


def test_companies_are_found_by_name_and_by_domain(django_assert_num_queries: Any) -> None:
    Company.objects.create(name="Acme Corp", domain="acme.example")
    Company.objects.create(name="Globex", domain="globex.example")

    def names(search: str) -> Sequence[str]:
        ids = company_search.matching_ids(company_search.CompanyFilter(search=search))
        return [row.name for row in Company.objects.filter(id__in=ids)]

    assert names("acme c") == ["Acme Corp"]
    assert names("www.globex") == ["Globex"]
    with django_assert_num_queries(1):
        company_search.matching_ids(company_search.CompanyFilter(search="acme"))


@pytest.mark.parametrize(("column", "index"), [("name_key", "company_by_name"), ("domain", "company_by_domain")])
def test_each_prefix_of_a_company_is_a_range_on_its_index(column: str, index: str) -> None:
    Company.objects.bulk_create(Company(name=f"N{n}", domain=f"{n}.example") for n in range(1000))
    rows = Company.objects.filter(begins_with(column, "ac"))
    rows = rows.exclude(domain="") if column == "domain" else rows
    (use,) = indexes_of(rows.order_by(column)[:10])
    assert use.name == index
    assert ">= 'ac'" in use.condition
