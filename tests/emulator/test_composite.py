"""Several requests in one call: references, and all or none to the last row."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.emulator.client import Client, differences, recorded

BASE = "/services/data/v66.0"


def part(name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    found = {"method": method, "url": f"{BASE}/{path}", "referenceId": name}
    return found if body is None else found | {"body": body}


def composite(sf: Client, *parts: dict[str, Any], all_or_none: bool = False) -> dict[str, dict[str, Any]]:
    told = sf.post("composite", {"allOrNone": all_or_none, "compositeRequest": list(parts)})
    assert told.status == 200
    return {row["referenceId"]: row for row in told.body["compositeResponse"]}


def test_answer_has_the_recorded_shape(salesforce_truth: Path, sf: Client) -> None:
    real = recorded(salesforce_truth, "composite/composite-200.json")
    asked = [part("ref1", "GET", "sobjects/Account/describe")]
    told = sf.post("composite", {"allOrNone": False, "compositeRequest": asked})
    assert list(told.body) == list(real)
    assert list(told.body["compositeResponse"][0]) == list(real["compositeResponse"][0])


def test_five_queries_cost_one_call(sf: Client) -> None:
    sf.lead()
    sf.control.set_usage(sf.org_id, used=0)
    asked = [part(f"q{n}", "GET", f"queryAll?q={quote('SELECT Id FROM Lead')}") for n in range(5)]
    told = composite(sf, *asked)
    assert [told[f"q{n}"]["body"]["totalSize"] for n in range(5)] == [1] * 5
    assert sf.control.set_usage(sf.org_id)["used"] == 1


def test_one_refused_part_stops_no_other(salesforce_truth: Path, sf: Client) -> None:
    told = composite(sf, part("bad", "GET", "query?q=oops"), part("good", "GET", "query?q=SELECT+Id+FROM+Lead"))
    assert (told["bad"]["httpStatusCode"], told["good"]["httpStatusCode"]) == (400, 200)
    missing = composite(sf, part("ref1", "GET", "sobjects/Account/001000000000000AAA"))["ref1"]
    real = recorded(salesforce_truth, "composite/subrequest-not-found-200.json")
    assert missing["httpStatusCode"] == real["compositeResponse"][0]["httpStatusCode"]
    assert not differences(real["compositeResponse"][0], missing)


def test_later_part_may_use_what_an_earlier_one_brought(sf: Client) -> None:
    told = composite(
        sf,
        part("company", "POST", "sobjects/Account", {"Name": "Acme"}),
        part("person", "POST", "sobjects/Contact", {"LastName": "A", "AccountId": "@{company.id}"}),
    )
    found = sf.rows("SELECT Account.Name FROM Contact")
    assert told["person"]["httpStatusCode"] == 201
    assert found[0]["Account"]["Name"] == "Acme"


def conditional(sf: Client, lead: str, stamp: str, **values: Any) -> dict[str, dict[str, Any]]:
    soql = f"SELECT Id FROM Lead WHERE Id = '{lead}' AND SystemModstamp = {stamp}"
    return composite(
        sf,
        part("seen", "GET", f"query?q={quote(soql)}"),
        part("written", "PATCH", "sobjects/Lead/@{seen.records[0].Id}", values),
        all_or_none=True,
    )


def test_write_through_a_reference_happens_only_where_the_query_found_the_row(sf: Client) -> None:
    sf.control.stop_clock(sf.org_id, "2026-11-24T10:00:00Z")
    lead = sf.lead()
    done = conditional(sf, lead, "2026-11-24T10:00:00.000Z", Title="New")
    assert done["written"]["httpStatusCode"] == 204
    missed = conditional(sf, lead, "2026-11-24T09:59:59.000Z", Title="Newer")
    assert missed["written"]["body"] == [
        {
            "errorCode": "PROCESSING_HALTED",
            "message": "Invalid reference specified. No value for seen.records[0].Id found in seen",
        }
    ]
    assert missed["seen"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert sf.rows("SELECT Title FROM Lead") == [{"Title": "New"}]


def test_all_or_none_undoes_every_part_that_had_worked(sf: Client) -> None:
    own = sf.lead(Title="Old")
    before = sf.control.query(sf.org_id, "SELECT Id, Title, SystemModstamp FROM Lead")
    told = composite(
        sf,
        part("made", "POST", "sobjects/Account", {"Name": "Acme"}),
        part("changed", "PATCH", f"sobjects/Lead/{own}", {"Title": "New"}),
        part("many", "POST", "composite/sobjects", {"records": [{"attributes": {"type": "Account"}, "Name": "X"}]}),
        part("gone", "DELETE", f"sobjects/Lead/{own}"),
        part("bad", "POST", "sobjects/Account", {"Name": "x" * 256}),
        all_or_none=True,
    )
    assert told["bad"]["body"][0]["errorCode"] == "STRING_TOO_LONG"
    others = [told[name] for name in ("made", "changed", "many", "gone")]
    assert {(row["httpStatusCode"], row["body"][0]["errorCode"]) for row in others} == {(400, "PROCESSING_HALTED")}
    assert sf.control.query(sf.org_id, "SELECT Id FROM Account") == []
    assert sf.control.query(sf.org_id, "SELECT Id, Title, SystemModstamp FROM Lead") == before


def test_halted_siblings_are_told_as_quoted(salesforce_truth: Path, sf: Client) -> None:
    real = recorded(salesforce_truth, "errors/quoted/STRING_TOO_LONG-composite-200.json")["compositeResponse"]
    told = composite(
        sf,
        part("item1", "POST", "sobjects/Account", {"Name": "x"}),
        part("item2", "POST", "sobjects/Account", {"Name": "x" * 256}),
        all_or_none=True,
    )
    assert told["item1"] == real[0]
    assert not differences(real[1], told["item2"])


def test_batch_answers_each_and_counts_each(salesforce_truth: Path, sf: Client) -> None:
    real = recorded(salesforce_truth, "composite/batch-200.json")
    sf.control.set_usage(sf.org_id, used=0)
    asked = [{"method": "GET", "url": "v66.0/limits"}, {"method": "GET", "url": "v66.0/sobjects/Account/describe"}]
    told = sf.post("composite/batch", {"haltOnError": False, "batchRequests": asked})
    assert list(told.body) == list(real)
    assert [row["statusCode"] for row in told.body["results"]] == [200, 200]
    assert sf.control.set_usage(sf.org_id)["used"] == 3


def test_more_than_twenty_five_parts_are_too_many(sf: Client) -> None:
    asked = [part(f"p{n}", "GET", "limits") for n in range(26)]
    assert sf.post("composite", {"compositeRequest": asked}).status == 400


def test_more_than_five_queries_and_collections_are_too_many(sf: Client) -> None:
    asked = [part(f"q{n}", "GET", f"query?q={quote('SELECT Id FROM Lead')}") for n in range(5)]
    records = {"records": [{"attributes": {"type": "Lead"}, "LastName": "A", "Company": "B"}]}
    made = part("made", "POST", "composite/sobjects", records)
    assert sf.post("composite", {"compositeRequest": [*asked, made]}).code == "LIMIT_EXCEEDED"
    assert sf.rows("SELECT Id FROM Lead") == []
    assert sf.post("composite", {"compositeRequest": [*asked[1:], made]}).status == 200
