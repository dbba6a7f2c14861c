"""What an import does: who is found, made, changed or left, what goes out, and what adds up (I03)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.audience.models import (
    Company,
    ConsentChange,
    CustomField,
    Engagement,
    List,
    ListMembership,
    Person,
    PersonWord,
    RecordChange,
)
from apps.imports.models import Import, ImportPiece, ImportState, Mode
from apps.imports.services import BadMapping, cancel
from apps.imports.values import BLANK, REPEATED
from apps.notifications.models import Delivery
from apps.outbox.models import OutboundChange
from apps.tenants.scope import tenant_transaction
from tests.imports.world import Importing

HEADER = "Email,First Name,Last Name,Title,Employees,Annual revenue,Birthdate\n"


def known(importing: Importing, **values: Any) -> Person:
    with tenant_transaction(importing.tenant_id):
        made: Person = Person.objects.create(**{"email": "ada@example.com", "title": "Ms"} | values)
        return made


def test_new_people_are_made_with_typed_values_and_wait_for_salesforce(importing: Importing) -> None:
    row = importing.run(HEADER + 'ADA@example.com,Ada Maria,"King, Lovelace",Countess,"1,200",50000.50,1815-12-10\n')
    assert (row.state, importing.counts(row)) == (ImportState.COMPLETED, (1, 0, 0, 0, 0))
    (ada,) = importing.people()
    assert (ada.email, ada.last_name, ada.employees) == ("ada@example.com", "King, Lovelace", 1200)
    assert (ada.annual_revenue, ada.birthdate) == (Decimal("50000.50"), date(1815, 12, 10))
    assert (ada.source, ada.version, ada.is_active, ada.email_opt_out) == ("import", 1, True, False)
    assert importing.queued() == {
        ada.pk: {"email", "first_name", "last_name", "title", "employees", "annual_revenue", "birthdate"}
    }
    with tenant_transaction(importing.tenant_id):
        assert set(PersonWord.objects.values_list("word", flat=True)) == {"maria", "lovelace"}
        change = RecordChange.objects.get(person_id=ada.pk)
        assert (change.actor_label, change.version) == (
            "Import of people.csv, by importer@northwind.example", 1,
        )  # fmt: skip
        fact = Engagement.objects.get(person_id=ada.pk)
        assert (fact.kind, fact.origin) == ("person_created", "import")
        assert OutboundChange.objects.get().fields["title"]["origin"] == "import"
        assert not ImportPiece.objects.exists(), "the file is not kept"


@pytest.mark.parametrize(
    ("mode", "line", "title", "department", "counts"),
    [
        (Mode.UPDATE, "ada@example.com,Countess,Engines", "Countess", "Engines", (0, 1, 0, 0, 0)),
        (Mode.FILL, "ada@example.com,Countess,Engines", "Ms", "Engines", (0, 1, 0, 0, 0)),
        (Mode.SKIP, "ada@example.com,Countess,Engines", "Ms", "", (0, 0, 0, 1, 0)),
        (Mode.UPDATE, " ADA@EXAMPLE.COM ,Ms,", "Ms", "", (0, 0, 1, 0, 0)),
        (Mode.UPDATE, "ada@example.com,,", "Ms", "", (0, 0, 1, 0, 0)),
        (Mode.FILL, "ada@example.com,Countess,", "Ms", "", (0, 0, 1, 0, 0)),
    ],
)
def test_somebody_who_is_here_is_found_by_email(
    importing: Importing, mode: Mode, line: str, title: str, department: str, counts: tuple[int, ...]
) -> None:
    ada = known(importing)
    row = importing.run(f"email,title,department\n{line}\n", mode=mode)
    (after,) = importing.people()
    assert (after.pk, after.title, after.department) == (ada.pk, title, department)
    assert importing.counts(row) == counts
    assert after.version == (2 if counts[1] else 1)
    changed = {name for name, old, new in (("title", "Ms", title), ("department", "", department)) if old != new}
    assert importing.queued() == ({ada.pk: changed} if changed else {})
    with tenant_transaction(importing.tenant_id):
        assert RecordChange.objects.count() == counts[1]
        if "title" in changed:
            assert RecordChange.objects.get().changes["title"] == {"before": "Ms", "after": "Countess"}


@pytest.mark.parametrize("reactivates", [True, False])
def test_somebody_deactivated_comes_back_where_that_is_asked_for(importing: Importing, reactivates: bool) -> None:
    known(importing, is_active=False)
    importing.run("email\nada@example.com\n", reactivates=reactivates)
    assert importing.people()[0].is_active is reactivates


@pytest.mark.parametrize(
    ("before", "cell", "after"),
    [(False, "yes", True), (False, "no", False), (False, "", False), (True, "no", True), (True, "", True),
     (True, "yes", True), (False, "TRUE", True), (False, "x", True)],
)  # fmt: skip
@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.SKIP])
def test_consent_column_opts_out_and_never_in(
    importing: Importing, before: bool, cell: str, after: bool, mode: Mode
) -> None:
    ada = known(importing, email_opt_out=before)
    importing.run(f"email,unsubscribed\nada@example.com,{cell}\n", mode=mode)
    assert importing.people()[0].email_opt_out is after
    with tenant_transaction(importing.tenant_id):
        assert ConsentChange.objects.filter(person_id=ada.pk, opted_out=True).count() == (after and not before)
        assert not ConsentChange.objects.filter(opted_out=False).exists()
    assert ("email_opt_out" in importing.queued().get(ada.pk, set())) is (after and not before)


def test_never_two_people_with_one_email(importing: Importing) -> None:
    text = "email,first name,title\n" + "a@x.example,Ann,\nA@X.example,,Boss\na@x.example,Anna,\n"
    row = importing.run(text)
    (ann,) = importing.people()
    assert (ann.first_name, ann.title) == ("Anna", "Boss")
    assert importing.counts(row) == (1, 0, 0, 2, 0)
    assert row.skip_reasons == {REPEATED: 2}
    importing.run(text, mode=Mode.FILL)
    assert importing.people()[0].first_name == "Anna"
    assert len(importing.people()) == 1


def test_people_without_email_are_made_each_time(importing: Importing) -> None:
    row = importing.run("first name,last name,email\nAnn,Lee,\nAnn,Lee,\n")
    assert importing.counts(row) == (2, 0, 0, 0, 0)
    assert [person.email for person in importing.people()] == ["", ""]


BAD = [
    ("nonsense,Ann,Lee,,,,", "E-mail: This is no e-mail address"),
    (",,,Boss,,,", "There is neither an e-mail address nor a name"),
    ("a@x.example,,,,many,,", "Employees: This is no number"),
    ("a@x.example,,,,1.5,,", "Employees: This has to be a whole number"),
    ("a@x.example,,,,,1e5,", "Annual revenue: This is no number"),
    ("a@x.example,,,,,99999999999999999999,", "Annual revenue: This number is too large"),
    ("a@x.example,,,,,,31.12.2026", "Birthdate: This is no date"),
    ("a@x.example,,,,,,2026-02-30", "Birthdate: This is no date"),
    ("a@x.example,,,,,,,extra", "more cells than the header"),
    ("a@x.example,,," + "x" * 131_073 + ",,,", "Title: This is too long"),
    ("x" * 250 + "@x.example,,,,,,", "E-mail: This is too long"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_bad_row_is_named_and_stops_no_other(importing: Importing, line: str, reason: str) -> None:
    row = importing.run(HEADER + f"b@x.example,Bea,Good,,,,\n{line}\nc@x.example,Cy,Good,,,,\n")
    assert importing.counts(row) == (2, 0, 0, 0, 1)
    ((number, words),) = importing.problems(row)
    assert number == 3
    assert reason in words
    assert [person.first_name for person in importing.people()] == ["Bea", "Cy"]


HOSTILE = [
    "<script>alert(1)</script>", '=HYPERLINK("http://evil.example")', "'; DROP TABLE audience_person; --", "\\.",
    "\\N", "a\tb", "line\nbreak\n\\.\nmore", "👩‍👩‍👧‍👦 Zoë", "%s %(tenant)s %%", "{0} {{}}", '"quoted" twice ""',
    "x" * 131_072, "\u202eevil", "NULL", "#N/A",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_value_is_only_text(importing: Importing, value: str) -> None:
    cell = value.replace('"', '""')
    row = importing.run(f'email,title\na@x.example,"{cell}"\nb@x.example,after\n')
    assert importing.counts(row) == (2, 0, 0, 0, 0)
    assert [person.title for person in importing.people()] == [value, "after"]


def test_blank_rows_and_short_rows_are_no_trouble(importing: Importing) -> None:
    row = importing.run("email,first name,title\n\n  ,,\na@x.example\n,Bea,Boss,,,\n")
    assert importing.counts(row) == (2, 0, 0, 2, 0)
    assert row.skip_reasons == {BLANK: 2}


def test_custom_fields_are_filled_by_their_type(importing: Importing) -> None:
    with tenant_transaction(importing.tenant_id):
        for number, kind in enumerate(["text", "integer", "date"] + ["text"] * 60):
            CustomField.objects.create(record_type="person", key=f"f{number}", label=f"Field {number}", kind=kind)
    header = ",".join(["email", *(f"Field {number}" for number in range(63))])
    cells = ",".join(["a@x.example", "it's 5%", "1200", "2026-01-31", *(["v"] * 60)])
    importing.run(f"{header}\n{cells}\n")
    (ann,) = importing.people()
    assert [ann.custom[key] for key in ("f0", "f1", "f2")] == ["it's 5%", "1200", "2026-01-31"]
    assert len(ann.custom) == 63
    row = importing.run(f"{header}\n{cells}\n")
    assert importing.counts(row) == (0, 0, 1, 0, 0)
    row = importing.run("email,Field 0,Field 1\na@x.example,new,x\na@x.example,new,7\n")
    assert importing.counts(row) == (0, 1, 0, 0, 1)
    (ann,) = importing.people()
    assert (ann.custom["f0"], ann.custom["f1"], ann.custom["f3"]) == ("new", "7", "v")


def test_everybody_in_the_file_is_put_on_the_list(importing: Importing) -> None:
    ada = known(importing)
    with tenant_transaction(importing.tenant_id):
        fair: Any = List.objects.create(name="Fair")
    importing.run("email,title\nada@example.com,Ms\nb@x.example,\nbad,\n", to=fair, mode=Mode.SKIP)
    with tenant_transaction(importing.tenant_id):
        ids = set(ListMembership.objects.filter(list=fair, is_active=True).values_list("person_id", flat=True))
    assert ids == {ada.pk, importing.people(email="b@x.example")[0].pk}


def test_companies_are_found_by_domain_then_by_name(importing: Importing) -> None:
    with tenant_transaction(importing.tenant_id):
        Company.objects.create(name="Acme", website="https://www.acme.example/x", domain="acme.example")
        Company.objects.create(name="Beta")
        Company.objects.create(name="Twin")
        Company.objects.create(name="TWIN")
    row = importing.run(
        "Name,Website,Industry\nAcme Inc,acme.example,Rockets\nBETA,,Boats\nTwin,,X\nNew,http://new.example:80/a,Y\n"
        ",acme.example,Z\nAcme Inc,,Late\n",
        "company",
    )
    assert importing.counts(row) == (1, 2, 0, 1, 2)
    with tenant_transaction(importing.tenant_id):
        found = {company.name: (company.domain, company.industry) for company in Company.objects.order_by("id")}
    assert found["Acme Inc"] == ("acme.example", "Late")
    assert found["BETA"] == ("", "Boats")
    assert found["New"] == ("new.example", "Y")
    assert [words for _, words in importing.problems(row)] == [
        "Several companies here fit this row",
        "There is no name",
    ]


def test_imports_of_one_person_and_of_a_thousand_do_the_same(importing: Importing) -> None:
    text = "email,first name,title\n" + "".join(f"p{n}@x.example,P {n},T\n" for n in range(5_200))
    row = importing.run(text)
    assert importing.counts(row) == (5_200, 0, 0, 0, 0)
    assert len(importing.queued()) == 5_200
    row = importing.run(text.replace(",T\n", ",U\n"))
    assert importing.counts(row) == (0, 5_200, 0, 0, 0)
    row = importing.run(text.replace(",T\n", ",U\n"))
    assert importing.counts(row) == (0, 0, 5_200, 0, 0)
    with tenant_transaction(importing.tenant_id):
        assert RecordChange.objects.count() == 2 * 5_200


def test_another_tenants_people_are_neither_found_nor_touched(importing: Importing, other_tenant: Any) -> None:
    with tenant_transaction(other_tenant.pk):
        Person.objects.create(email="ada@example.com", title="Theirs")
    row = importing.run("email,title\nada@example.com,Ours\n")
    assert importing.counts(row) == (1, 0, 0, 0, 0)
    with tenant_transaction(other_tenant.pk):
        assert Person.objects.get().title == "Theirs"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({0: "email", 1: "email"}, "chosen for two columns"),
        ({}, "nobody would know"),
        ({1: "title"}, "nobody would know"),
        ({0: "nonsense"}, "not there any more"),
        ({7: "email"}, "not there any more"),
        ({0: "company"}, "not there any more"),
    ],
)
def test_columns_that_make_no_sense_are_refused(importing: Importing, mapping: dict[int, str], words: str) -> None:
    row = importing.upload("email,title\na@x.example,b\n")
    with pytest.raises(BadMapping, match=words):
        importing.start(row, mapping)
    assert importing.people() == []


def test_cancelled_import_stops_and_keeps_what_it_took(importing: Importing) -> None:
    row = importing.start(importing.upload("email\na@x.example\n"))
    with tenant_transaction(importing.tenant_id):
        cancel(row=row, user=importing.user)
    row = importing.finish(row)
    assert (row.state, importing.people()) == (ImportState.CANCELLED, [])
    waiting = importing.upload("email\na@x.example\n")
    with tenant_transaction(importing.tenant_id):
        cancel(row=waiting, user=importing.user)
        assert not ImportPiece.objects.exists()


def test_what_is_old_is_forgotten(importing: Importing) -> None:
    done = importing.run("email\nnonsense\n")
    waiting = importing.upload("email\na@x.example\n")
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        fresh = importing.upload("email\na@x.example\n")
    assert importing.problems(done) == []
    with tenant_transaction(importing.tenant_id):
        assert set(ImportPiece.objects.values_list("source_id", flat=True)) == {fresh.pk}
        assert Import.objects.get(id=waiting.pk).state == ImportState.CANCELLED


def test_file_that_cannot_be_read_to_its_end_fails_in_words_and_keeps_what_came_before(importing: Importing) -> None:
    good = "".join(f"p{n}@x.example,T\n" for n in range(5_000))
    row = importing.run("email,title\n" + good + 'q@x.example,"never closed\n' + "x,y\n" * 1_200_000)
    assert row.state == ImportState.FAILED
    assert row.failure.startswith("Row 5,002 or one after it cannot be read.")
    assert row.created == 5_000


def test_import_is_one_word_to_webhooks(importing: Importing) -> None:
    from apps.domain.webhooks import WebhookEvent
    from apps.notifications.models import EndpointKind
    from apps.notifications.webhooks.endpoints import create_endpoint

    with tenant_transaction(importing.tenant_id):
        for bulk in (False, True):
            create_endpoint(
                name="x", kind=EndpointKind.WEBHOOK, url="https://x.example", events=list(WebhookEvent), with_bulk=bulk,
                user=importing.user,
            )  # fmt: skip
    known(importing)
    importing.run("email,title\nada@example.com,Countess\nb@x.example,\n")
    with tenant_transaction(importing.tenant_id):
        heard = sorted((row.endpoint_id, row.event) for row in Delivery.objects.all())
    first, second = sorted({number for number, _ in heard})
    assert heard == [
        (first, "run.finished"), (second, "record.created"), (second, "record.updated"), (second, "run.finished"),
    ]  # fmt: skip
