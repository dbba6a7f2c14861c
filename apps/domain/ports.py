"""What the engine may ask of a CRM, so that a second one can stand beside the first.

Every call may raise a ``Failure``; none of them retries, waits or sleeps. What concerns one row is a value
(``RowFailure`` inside a ``WriteResult``), never an exception.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Any, Protocol

from apps.domain.failures import Failure, RowFailure


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field as the asking user sees it; a hidden one is simply absent from its object."""

    name: str
    label: str
    type: str
    length: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    defaulted_on_create: bool = False
    calculated: bool = False
    external_id: bool = False
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    picklist: tuple[tuple[str, str], ...] = ()
    precision: int = 0
    unique: bool = False
    id_lookup: bool = False
    auto_number: bool = False
    part_of: str = ""
    default_choice: str = ""

    @property
    def is_compound(self) -> bool:
        """A read-only view of its parts; the parts are written."""
        return self.type in {"address", "location"}

    @property
    def is_required_on_create(self) -> bool:
        """Salesforce refuses a new record without it; layouts and validation rules may ask for more."""
        return self.createable and not self.nillable and not self.defaulted_on_create and self.type != "boolean"


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """An sObject and its visible fields by name. ``record_types`` are pairs of id and name."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    createable: bool
    updateable: bool
    queryable: bool
    fields: dict[str, FieldSchema]
    record_types: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for storage."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ObjectSchema":
        """From ``to_dict``, also of an older release: what it did not know has its default."""
        fields = {
            name: FieldSchema(
                **{
                    **field,
                    "reference_to": tuple(field["reference_to"]),
                    "picklist": tuple((value, label) for value, label in field["picklist"]),
                }
            )
            for name, field in data["fields"].items()
        }
        record_types = tuple((number, name) for number, name in data.get("record_types", ()))
        return cls(**{**data, "fields": fields, "record_types": record_types})


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the org in its rolling 24 hours, as Salesforce counts them."""

    used: int
    allowed: int


@dataclass(frozen=True, slots=True)
class QueryJob:
    """A query job as Salesforce last told: UploadComplete, InProgress, JobComplete, Failed or Aborted."""

    id: str
    state: str
    rows: int
    message: str = ""

    @property
    def is_complete(self) -> bool:
        """Its result can be read."""
        return self.state == "JobComplete"

    @property
    def is_lost(self) -> bool:
        """There will be no result; it must be asked anew."""
        return self.state in {"Failed", "Aborted"}


class Readable(Protocol):
    """Bytes read as from a file."""

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; ``b""`` at the end; raises Transient where the answer breaks off."""


class Page(Protocol):
    """One page of a large result."""

    @property
    def rows(self) -> int:
        """How many rows the page holds, as the CRM counts them: compare before believing the bytes."""

    @property
    def next_locator(self) -> str:
        """Where the next page begins; empty on the last one."""

    @property
    def stream(self) -> Readable:
        """CSV with a header row, to be read inside the block that opened the page."""


class LargeReads(Protocol):
    """Large results as short steps; ids and locators may be stored between them and used by another process."""

    def create(self, soql: str, *, include_deleted: bool = False) -> QueryJob:
        """Ask; the answer is ready later."""

    def look(self, job_id: str) -> QueryJob:
        """How far the job is; raises JobLost where it is no longer known."""

    def page(self, job_id: str, *, locator: str, max_records: int) -> AbstractContextManager[Page]:
        """One page; reading it twice gives the same rows."""

    def abort(self, job_id: str) -> None:
        """The job makes no further work; one that has ended is left as it is."""

    def delete(self, job_id: str) -> None:
        """The job and its result are gone."""


class WriteOperation(StrEnum):
    """What is done with the records of a write."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one record: its id, or why it was refused."""

    remote_id: str
    created: bool = False
    failures: tuple[RowFailure, ...] = ()

    @property
    def is_success(self) -> bool:
        """It is written."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Changed:
    """Nothing was written, for the row is not as it was read, or is gone: read it and decide again."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class IngestJob:
    """A write job as Salesforce last told; JobComplete may hold refused rows, and Failed undoes nothing."""

    id: str
    state: str
    processed: int = 0
    failed: int = 0
    message: str = ""

    @property
    def is_complete(self) -> bool:
        """Its results can be read."""
        return self.state == "JobComplete"

    @property
    def is_lost(self) -> bool:
        """It ended early; what it has written stays written."""
        return self.state in {"Failed", "Aborted"}


@dataclass(frozen=True, slots=True)
class IngestRow:
    """One row of a write job's result, with the cells that were sent."""

    result: WriteResult
    sent: Mapping[str, str]


class LargeWrites(Protocol):
    """Large writes as short steps; a job id may be stored between them and used by another process."""

    def create(self, sobject: str, operation: WriteOperation, *, key_field: str = "") -> IngestJob:
        """Open a job that waits for its rows."""

    def upload(self, job_id: str, content: IO[bytes]) -> None:
        """Send the rows as CSV, once a job."""

    def close(self, job_id: str) -> IngestJob:
        """Say that everything is uploaded; the work begins."""

    def look(self, job_id: str) -> IngestJob:
        """How far the job is; raises JobLost where it is no longer known."""

    def successes(self, job_id: str) -> Iterator[IngestRow]:
        """Rows that are written, in no promised order."""

    def failures(self, job_id: str) -> Iterator[IngestRow]:
        """Rows that were refused, in no promised order."""

    def unprocessed(self, job_id: str) -> Iterator[Mapping[str, str]]:
        """Rows that were never tried, as they were sent."""

    def abort(self, job_id: str) -> None:
        """The job writes nothing further; one that has ended is left as it is."""


class RemoteSystem(Protocol):
    """One org of a CRM, asked through one connection; one object per task."""

    @property
    def bulk(self) -> LargeReads:
        """Large results as steps."""

    @property
    def ingest(self) -> LargeWrites:
        """Large writes as steps."""

    def sobjects(self) -> list[dict[str, Any]]:
        """Name, label and abilities of every object that the sync user can see."""

    def describe(self, sobject: str) -> ObjectSchema:
        """The object as the sync user sees it: what is hidden is absent."""

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Rows of a small result, page by page; raises JobLost where its cursor expires on the way."""

    def query_many(
        self, queries: Sequence[str], *, include_deleted: bool = False
    ) -> list[list[dict[str, Any]] | Failure]:
        """All rows of each query, several for the price of one call; a refused one has its Failure in that place."""

    def count(self, sobject: str) -> int:
        """How many rows the sync user can see."""

    def read(self, sobject: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows by id; one that is deleted or out of sight is absent."""

    def write(
        self,
        sobject: str,
        operation: WriteOperation,
        records: Iterable[Mapping[str, Any]],
        *,
        key_field: str = "",
        allow_duplicates: bool = False,
        assignment_rule: str = "",
    ) -> Iterator[WriteResult]:
        """One result per record in the order given; a refused record never stops the others.

        ``allow_duplicates`` passes duplicate rules that only warn; ``assignment_rule`` lets one choose the owner.
        """

    def write_if_unchanged(
        self,
        sobject: str,
        remote_id: str,
        seen: datetime,
        values: Mapping[str, Any],
        *,
        allow_duplicates: bool = False,
    ) -> WriteResult | Changed:
        """Update one row if its stamp is still the one that was read, in one call; else nothing is written."""

    def limits(self) -> Usage | None:
        """Used and allowed calls of the rolling 24 hours, which may lag by minutes."""

    def org_time(self) -> datetime:
        """The org's clock; watermarks use no other."""

    def close(self) -> None:
        """Give the connections back."""
