"""What every gateway promises the engine (apps/domain/ports.py); a second CRM joins by one more parameter."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from apps.domain.failures import Category, Failure, JobLost, MappingBroken
from apps.domain.ports import Changed, RemoteSystem, WriteOperation, WriteResult
from apps.salesforce.gateway import SalesforceGateway
from emulator.local import LocalEmulator, local_emulator
from tests.emulator.adapter import leading_to


@dataclass
class Far:
    """A remote system, and what people do there."""

    remote: RemoteSystem
    local: LocalEmulator
    org_id: str

    def lead(self, **values: object) -> str:
        return self.local.control.create(self.org_id, "Lead", **{"LastName": "Lead", "Company": "Acme"} | values)

    def delete(self, record_id: str) -> None:
        self.local.control.delete(self.org_id, "Lead", record_id)

    def stamp(self, record_id: str) -> datetime:
        (row,) = self.remote.query(f"SELECT SystemModstamp FROM Lead WHERE Id = '{record_id}'")
        return datetime.strptime(row["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.%f%z")


class Held:
    """A token that nobody renews."""

    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self) -> str:
        return self._token

    def renew(self, stale: str) -> str:
        raise AssertionError("nothing expires here")


def _salesforce(local: LocalEmulator, org_id: str) -> RemoteSystem:
    return SalesforceGateway(
        instance_url=local.base_url,
        api_version="66.0",
        tokens=Held(local.control.grant(org_id)["access_token"]),
        trusted_hosts=(local.base_url.removeprefix("http://"),),
    )


@pytest.fixture(params=[_salesforce], ids=["salesforce"])
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    """Each gateway in turn, with an org of its own."""
    make: Callable[[LocalEmulator, str], RemoteSystem] = request.param
    with local_emulator() as local, leading_to(local):
        org_id = local.control.create_org()["id"]
        remote = make(local, org_id)
        yield Far(remote, local, org_id)
        remote.close()


def whole(far: Far, job_id: str, locator: str = "", size: int = 100) -> tuple[bytes, str, int]:
    with far.remote.bulk.page(job_id, locator=locator, max_records=size) as page:
        return b"".join(iter(page.stream.read, b"")), page.next_locator, page.rows


def test_objects_and_fields_are_told_as_the_user_sees_them(far: Far) -> None:
    far.local.control.hide(far.org_id, "Lead.Title", "Campaign")
    assert "Campaign" not in {entry["name"] for entry in far.remote.sobjects()}
    schema = far.remote.describe("Lead")
    assert "Title" not in schema.fields
    assert schema.fields["LastName"].is_required_on_create


def test_rows_come_by_query_with_the_deleted_ones_on_request(far: Far) -> None:
    kept, gone = far.lead(), far.lead()
    far.delete(gone)
    assert [row["Id"] for row in far.remote.query("SELECT Id FROM Lead")] == [kept]
    both = list(far.remote.query("SELECT Id FROM Lead ORDER BY Id", include_deleted=True))
    assert [row["Id"] for row in both] == [kept, gone]
    assert far.remote.count("Lead") == 1


def test_of_several_queries_a_refused_one_has_its_failure_in_its_place(far: Far) -> None:
    lead = far.lead()
    asked = ["SELECT Id FROM Lead", "SELECT Nope FROM Lead"] * 4
    found = far.remote.query_many(asked)
    assert [[{"Id": lead}] == part for part in found] == [True, False] * 4
    assert all(isinstance(part, MappingBroken) for part in found[1::2])


def test_rows_by_id_leave_out_what_is_deleted_or_out_of_sight(far: Far) -> None:
    seen, deleted, hidden = far.lead(Email="s@x.example"), far.lead(), far.lead()
    far.delete(deleted)
    far.local.control.hide_rows(far.org_id, hidden)
    assert far.remote.read("Lead", [hidden, deleted, seen], ["Email"]) == {seen: {"Id": seen, "Email": "s@x.example"}}


def test_writes_answer_in_order_and_a_refusal_stops_nothing(far: Far) -> None:
    records = [{"LastName": str(n), "Company": "C"} if n % 3 else {"Company": "C"} for n in range(450)]
    results = list(far.remote.write("Lead", WriteOperation.CREATE, records))
    assert [result.is_success for result in results] == [bool(n % 3) for n in range(450)]
    rows = far.remote.read("Lead", [r.remote_id for r in results if r.is_success], ["LastName"])
    written = [rows[result.remote_id]["LastName"] for result in results if result.is_success]
    assert written == [str(n) for n in range(450) if n % 3]
    assert results[0].failures[0].category is Category.REQUIRED_FIELD_MISSING


def test_upsert_by_key_never_makes_a_second_record(far: Far) -> None:
    record = {"Syncline_Id__c": "p-1", "LastName": "A", "Company": "C"}
    outcomes = [
        next(iter(far.remote.write("Lead", WriteOperation.UPSERT, [record], key_field="Syncline_Id__c")))
        for _ in range(3)
    ]
    assert [outcome.created for outcome in outcomes] == [True, False, False]
    assert len({outcome.remote_id for outcome in outcomes}) == 1


def test_writes_to_what_is_gone_say_so(far: Far) -> None:
    gone = far.lead()
    far.delete(gone)
    for operation in (WriteOperation.UPDATE, WriteOperation.DELETE):
        (result,) = far.remote.write("Lead", operation, [{"Id": gone, "Title": "x"}])
        assert result.failures[0].category is Category.RECORD_DELETED


def test_duplicates_are_told_and_saved_where_allowed(far: Far) -> None:
    far.lead(Email="a@x.example")
    far.local.control.add_duplicate_rule(far.org_id, "Lead", "Email")
    record = {"LastName": "A", "Company": "C", "Email": "a@x.example"}
    (refused,) = far.remote.write("Lead", WriteOperation.CREATE, [record])
    assert refused.failures[0].category is Category.DUPLICATE_DETECTED
    (saved,) = far.remote.write("Lead", WriteOperation.CREATE, [record], allow_duplicates=True)
    assert saved.created


def test_conditional_write_happens_only_where_nothing_has_changed(far: Far) -> None:
    lead = far.lead()
    seen = far.stamp(lead)
    assert far.remote.write_if_unchanged("Lead", lead, seen, {"Title": "ours"}) == WriteResult(lead)
    far.local.control.shift_clock(far.org_id, 60)
    far.local.control.update(far.org_id, "Lead", lead, Title="theirs")
    assert far.remote.write_if_unchanged("Lead", lead, seen, {"Title": "ours"}) == Changed(lead)
    assert far.remote.read("Lead", [lead], ["Title"])[lead]["Title"] == "theirs"
    refused = far.remote.write_if_unchanged("Lead", lead, far.stamp(lead), {"Email": "nobody"})
    assert isinstance(refused, WriteResult)
    assert refused.failures[0].category is Category.INVALID_EMAIL
    far.delete(lead)
    assert far.remote.write_if_unchanged("Lead", lead, seen, {"Title": "ours"}) == Changed(lead)


def test_large_result_is_read_in_pages_that_can_be_read_again(far: Far) -> None:
    made = {far.lead() for _ in range(7)}
    job = far.remote.bulk.create("SELECT Id FROM Lead")
    told = far.remote.bulk.look(job.id)
    assert (told.is_complete, told.rows) == (True, 7)
    seen: list[str] = []
    locator = ""
    while True:
        content, following, rows = whole(far, job.id, locator, 3)
        assert whole(far, job.id, locator, 3) == (content, following, rows)
        lines = content.decode().replace('"', "").split()
        assert (lines[0], len(lines) - 1) == ("Id", rows)
        seen += lines[1:]
        locator = following
        if not locator:
            break
    assert (len(seen), set(seen)) == (7, made)


def test_job_that_ended_may_be_aborted_and_one_that_is_gone_is_lost(far: Far) -> None:
    job = far.remote.bulk.create("SELECT Id FROM Lead").id
    far.remote.bulk.abort(job)
    assert far.remote.bulk.look(job).is_complete
    far.remote.bulk.delete(job)
    with pytest.raises(JobLost):
        far.remote.bulk.look(job)
    with pytest.raises(JobLost):
        whole(far, job)


def test_large_write_gives_each_row_one_fate(far: Far) -> None:
    job = far.remote.ingest.create("Lead", WriteOperation.UPSERT, key_field="Syncline_Id__c")
    rows = b"Syncline_Id__c,LastName,Company\n1,A,C\n2,,C\n3,B,C\n"
    far.remote.ingest.upload(job.id, io.BytesIO(rows))
    far.remote.ingest.close(job.id)
    told = far.remote.ingest.look(job.id)
    assert (told.is_complete, told.processed, told.failed) == (True, 3, 1)
    good = {row.sent["Syncline_Id__c"]: row.result.created for row in far.remote.ingest.successes(job.id)}
    bad = {row.sent["Syncline_Id__c"]: row.result.failures[0].category for row in far.remote.ingest.failures(job.id)}
    assert good == {"1": True, "3": True}
    assert bad == {"2": Category.REQUIRED_FIELD_MISSING}
    assert list(far.remote.ingest.unprocessed(job.id)) == []


def test_large_write_that_was_aborted_writes_nothing(far: Far) -> None:
    job = far.remote.ingest.create("Lead", WriteOperation.CREATE)
    far.remote.ingest.upload(job.id, io.BytesIO(b"LastName,Company\nA,C\n"))
    far.remote.ingest.abort(job.id)
    assert far.remote.ingest.look(job.id).is_lost
    assert far.remote.count("Lead") == 0


def test_time_is_the_orgs_own(far: Far) -> None:
    far.local.control.stop_clock(far.org_id, "2020-02-29T12:00:00Z")
    assert far.remote.org_time() == datetime(2020, 2, 29, 12, tzinfo=UTC)
    far.local.control.shift_clock(far.org_id, -3600)
    far.remote.limits()
    assert far.remote.org_time() == datetime(2020, 2, 29, 11, tzinfo=UTC)


def test_used_calls_are_known(far: Far) -> None:
    far.local.control.set_usage(far.org_id, used=7, limit=100)
    usage = far.remote.limits()
    assert usage is not None
    assert (usage.used, usage.allowed) == (8, 100)


def test_failures_name_what_helps(far: Far) -> None:
    with pytest.raises(MappingBroken) as gone:
        far.remote.query("SELECT Nope FROM Lead")
    assert gone.value.category is Category.FIELD_GONE
    far.local.control.set_usage(far.org_id, used=100, limit=100)
    with pytest.raises(Failure) as limit:
        far.remote.query("SELECT Id FROM Lead")
    assert limit.value.category is Category.REQUEST_LIMIT
    far.local.control.set_usage(far.org_id, used=0)
    far.local.control.change_org(far.org_id, api_enabled=False)
    with pytest.raises(Failure) as closed:
        far.remote.query("SELECT Id FROM Lead")
    assert closed.value.category is Category.API_DISABLED


def test_long_ago_and_far_away_stamps_are_no_matter(far: Far) -> None:
    lead = far.lead()
    strange = far.stamp(lead).astimezone(UTC) + timedelta(days=4000)
    assert far.remote.write_if_unchanged("Lead", lead, strange, {"Title": "x"}) == Changed(lead)
