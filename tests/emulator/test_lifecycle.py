"""Rows that end, return, merge and convert, and the stamps that tell of it; clocks and late commits."""

from typing import Any

import pytest

from tests.emulator.client import Client

T0, LATER = "2026-11-24T10:00:00.000+0000", "2026-11-24T10:01:00.000+0000"


@pytest.fixture(autouse=True)
def stopped(sf: Client) -> None:
    """The org's clock stands; it moves by verbs only."""
    sf.control.stop_clock(sf.org_id, "2026-11-24T10:00:00Z")


def row(sf: Client, sobject: str, record_id: str, *fields: str) -> dict[str, Any]:
    soql = f"SELECT {', '.join(fields)} FROM {sobject} WHERE Id = '{record_id}'"
    (found,) = sf.rows(soql, everything=True)
    return found


def later(sf: Client) -> None:
    sf.control.shift_clock(sf.org_id, 60)


STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


def test_change_moves_the_stamps_and_creation_stays(sf: Client) -> None:
    lead = sf.lead()
    assert row(sf, "Lead", lead, *STAMPS) == dict.fromkeys(STAMPS, T0)
    later(sf)
    sf.patch(f"sobjects/Lead/{lead}", {"Title": "x"})
    assert row(sf, "Lead", lead, *STAMPS) == {"SystemModstamp": LATER, "LastModifiedDate": LATER, "CreatedDate": T0}


def test_deletion_and_undeletion_move_the_stamp_and_keep_the_id(sf: Client) -> None:
    lead = sf.lead()
    later(sf)
    sf.control.delete(sf.org_id, "Lead", lead)
    assert row(sf, "Lead", lead, "IsDeleted", "SystemModstamp") == {"IsDeleted": True, "SystemModstamp": LATER}
    later(sf)
    sf.control.undelete(sf.org_id, "Lead", lead)
    back = row(sf, "Lead", lead, "IsDeleted", "SystemModstamp")
    assert back == {"IsDeleted": False, "SystemModstamp": "2026-11-24T10:02:00.000+0000"}


def test_what_belongs_to_a_row_goes_and_returns_with_it(sf: Client) -> None:
    account = sf.control.create(sf.org_id, "Account", Name="Acme")
    contact = sf.control.create(sf.org_id, "Contact", LastName="A", AccountId=account)
    earlier = sf.control.create(sf.org_id, "Contact", LastName="B", AccountId=account)
    sf.control.delete(sf.org_id, "Contact", earlier)
    later(sf)
    sf.control.delete(sf.org_id, "Account", account)
    assert row(sf, "Contact", contact, "IsDeleted", "SystemModstamp") == {"IsDeleted": True, "SystemModstamp": LATER}
    sf.control.undelete(sf.org_id, "Account", account)
    assert row(sf, "Contact", contact, "IsDeleted") == {"IsDeleted": False}
    assert row(sf, "Contact", earlier, "IsDeleted") == {"IsDeleted": True}


def test_purged_row_leaves_no_trace(sf: Client) -> None:
    lead = sf.lead()
    sf.control.purge(sf.org_id, "Lead", lead)
    assert sf.rows("SELECT Id FROM Lead", everything=True) == []


def test_merge_points_the_loser_at_the_winner_and_moves_its_belongings(sf: Client) -> None:
    winner, loser = (sf.control.create(sf.org_id, "Contact", LastName=name) for name in ("Winner", "Loser"))
    task = sf.control.create(sf.org_id, "Task", Subject="Call", WhoId=loser)
    later(sf)
    sf.control.merge(sf.org_id, "Contact", winner, loser)
    told = row(sf, "Contact", loser, "IsDeleted", "MasterRecordId", "SystemModstamp")
    assert told == {"IsDeleted": True, "MasterRecordId": winner, "SystemModstamp": LATER}
    assert row(sf, "Contact", winner, "SystemModstamp") == {"SystemModstamp": LATER}
    assert row(sf, "Task", task, "WhoId", "SystemModstamp") == {"WhoId": winner, "SystemModstamp": LATER}


def test_conversion_fills_the_lead_and_moves_membership_and_tasks(sf: Client) -> None:
    lead = sf.lead(Email="a@x.example", Company="Acme")
    campaign = sf.control.create(sf.org_id, "Campaign", Name="C")
    member = sf.control.create(sf.org_id, "CampaignMember", CampaignId=campaign, LeadId=lead)
    task = sf.control.create(sf.org_id, "Task", Subject="Call", WhoId=lead)
    later(sf)
    ids = sf.control.convert(sf.org_id, lead, opportunity="Deal")
    told = row(sf, "Lead", lead, "IsConverted", "Status", "ConvertedContactId", "ConvertedAccountId",
               "ConvertedOpportunityId", "ConvertedDate", "SystemModstamp", "IsDeleted")  # fmt: skip
    assert told == {
        "IsConverted": True, "Status": "Closed - Converted", "ConvertedContactId": ids["contactId"],
        "ConvertedAccountId": ids["accountId"], "ConvertedOpportunityId": ids["opportunityId"],
        "ConvertedDate": "2026-11-24", "SystemModstamp": LATER, "IsDeleted": False,
    }  # fmt: skip
    assert row(sf, "Contact", ids["contactId"], "Email", "AccountId") == {
        "Email": "a@x.example",
        "AccountId": ids["accountId"],
    }
    moved = row(sf, "CampaignMember", member, "ContactId", "SystemModstamp")
    assert moved == {"ContactId": ids["contactId"], "SystemModstamp": LATER}
    assert row(sf, "Task", task, "WhoId") == {"WhoId": ids["contactId"]}
    assert sf.patch(f"sobjects/Lead/{lead}", {"Title": "x"}).code == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_conversion_into_known_records_makes_no_new_ones(sf: Client) -> None:
    account = sf.control.create(sf.org_id, "Account", Name="Acme")
    contact = sf.control.create(sf.org_id, "Contact", LastName="A", AccountId=account)
    ids = sf.control.convert(sf.org_id, sf.lead(), account=account, contact=contact)
    assert (ids["accountId"], ids["contactId"], ids["opportunityId"]) == (account, contact, None)
    assert len(sf.rows("SELECT Id FROM Contact")) == 1


def test_answers_are_dated_by_the_orgs_own_clock(sf: Client) -> None:
    assert sf.get("limits").headers["date"] == "Tue, 24 Nov 2026 10:00:00 GMT"
    later(sf)
    assert sf.get("limits").headers["date"] == "Tue, 24 Nov 2026 10:01:00 GMT"
    assert sf.control.org_time(sf.org_id) == "2026-11-24T10:01:00.000Z"


def test_orgs_have_clocks_of_their_own(sf: Client) -> None:
    other = sf.control.create_org()["id"]
    sf.control.stop_clock(other, "2020-01-01T00:00:00Z")
    assert sf.control.org_time(sf.org_id) == "2026-11-24T10:00:00.000Z"


@pytest.mark.parametrize("seconds", [1, 59, 600])
def test_late_commit_is_seen_now_with_an_old_stamp(sf: Client, seconds: int) -> None:
    lead = sf.lead()
    later(sf)
    later(sf)
    soql = "SELECT Id FROM Lead WHERE SystemModstamp >= 2026-11-24T09:00:00Z AND Title = 'late'"
    assert sf.rows(soql) == []
    sf.control.commit_late(sf.org_id, seconds, "update", sobject="Lead", id=lead, values={"Title": "late"})
    told = row(sf, "Lead", lead, "Title", "SystemModstamp")
    assert told["Title"] == "late"
    wanted = {1: "10:01:59", 59: "10:01:01", 600: "09:52:00"}[seconds]
    assert told["SystemModstamp"] == f"2026-11-24T{wanted}.000+0000"


def test_creation_and_deletion_may_be_late_too(sf: Client) -> None:
    made = sf.control.commit_late(sf.org_id, 30, "create", sobject="Lead", values={"LastName": "L", "Company": "C"})
    assert row(sf, "Lead", made["id"], "CreatedDate")["CreatedDate"] == "2026-11-24T09:59:30.000+0000"
    sf.control.commit_late(sf.org_id, 10, "delete", sobject="Lead", id=made["id"])
    assert row(sf, "Lead", made["id"], "SystemModstamp")["SystemModstamp"] == "2026-11-24T09:59:50.000+0000"
