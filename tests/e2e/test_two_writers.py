"""Two writers: people edit here and in Salesforce while syncs run; afterwards both sides agree, and nothing is gone."""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import Copy, find, let_leads_flow_both_ways, sync_leads
from tests.runner.tools import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIELDS = {"Title": "Title", "Phone": "Phone", "FirstName": "First name"}
"""Fields that both edit: by their name there, and by their label here."""


@dataclass
class Subject:
    """A lead whom both edit, and all that was typed: field → values, each unlike any other."""

    lead: str
    last_name: str
    address: str = ""
    here: dict[str, list[str]] = field(default_factory=dict)
    there: dict[str, list[str]] = field(default_factory=dict)


def test_two_writers_end_in_agreement_and_every_loss_is_told(copy: Copy, synced: Page) -> None:
    subjects = []
    for n in range(4):
        name = f"Twowriters{n}"
        values = {"LastName": name, "Company": "Both Ltd", "Email": f"both{n}@writers.example", "Title": "None yet"}
        subjects.append(Subject(copy.emulator.create(copy.org_id, "Lead", **values), name))
    let_leads_flow_both_ways(synced)
    sync_leads(synced)
    for one in subjects:
        find(synced, one.last_name, one.last_name)
        synced.get_by_role("link", name=one.last_name, exact=True).click()
        expect(synced).to_have_url(re.compile(r"/people/\d+/$"))
        one.address = synced.url
    write_on_both_sides(copy, synced, subjects)
    settle(copy, synced)
    for one in subjects:
        assert_agreed_and_told(copy, synced, one)
    assert_a_further_run_writes_nothing(copy, synced)


def write_on_both_sides(copy: Copy, page: Page, subjects: list[Subject]) -> None:
    """Each round edits every lead there and here, the same fields, while a sync of all leads is running."""
    for turn in range(3):
        page.goto("/integrations/salesforce/objects/lead/")
        page.get_by_role("button", name="Sync now").click()
        for n, one in enumerate(subjects):
            remote_field, label = list(FIELDS.items())[(turn + n) % len(FIELDS)]
            theirs, ours = f"there {turn}{n}", f"here {turn}{n}"
            copy.emulator.update(copy.org_id, "Lead", one.lead, **{remote_field: theirs})
            one.there.setdefault(remote_field, []).append(theirs)
            page.goto(f"{one.address}edit/")
            page.get_by_label(label, exact=True).fill(ours)
            page.get_by_role("button", name="Save").click()
            if page.url.endswith("/edit/"):  # a sync changed the record meanwhile: the page shows both, and asks
                page.get_by_role("button", name=re.compile("^Save")).click()
            expect(page).to_have_url(one.address)
            one.here.setdefault(remote_field, []).append(ours)
        assert eventually(lambda: nothing_runs(page), seconds=60)


def nothing_runs(page: Page) -> bool:
    """Whether the activity log shows no run that is under way."""
    page.goto("/integrations/salesforce/log/")
    return page.get_by_role("row").filter(has_text=re.compile("Running|Queued")).count() == 0


def settle(copy: Copy, page: Page) -> None:
    """Until nothing waits any more, and one sync after that."""
    sync_leads(page)

    def nothing_waits() -> bool:
        page.goto("/integrations/salesforce/queue/")
        return page.get_by_text("Nothing waits").count() > 0

    assert eventually(nothing_waits, seconds=60)
    sync_leads(page)
    assert eventually(nothing_waits, seconds=60)


def assert_agreed_and_told(copy: Copy, page: Page, one: Subject) -> None:
    names = ", ".join(FIELDS)
    (row,) = copy.emulator.query(copy.org_id, f"SELECT {names} FROM Lead WHERE Id = '{one.lead}'")
    page.goto(f"{one.address}edit/")
    shown = {name: page.get_by_label(label, exact=True).input_value() for name, label in FIELDS.items()}
    assert shown == {name: row[name] or "" for name in FIELDS}
    page.goto(one.address)
    told = page.get_by_role("main").inner_text()
    for name in one.here.keys() | one.there.keys():
        typed = [*one.here.get(name, []), *one.there.get(name, [])]
        assert row[name] in typed, "what stays is what one of the two wrote"
        missing = [value for value in typed if value not in told]
        assert not missing, f"{name}: the person's page does not tell of {missing}"


def assert_a_further_run_writes_nothing(copy: Copy, page: Page) -> None:
    copy.emulator.clear_calls()
    sync_leads(page)
    calls = copy.emulator.calls("/services/data/", copy.org_id)
    assert calls, "the run asked Salesforce"
    writes = [call for call in calls if call["method"] in {"PATCH", "PUT"} or "/composite/sobjects" in call["path"]]
    assert [call for call in writes if not call["path"].endswith("/Lead")] == []
