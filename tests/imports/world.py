"""Verbs of the tests of imports."""

import io
from typing import Any

from apps.audience.models import List, Person
from apps.imports.columns import guess, targets_of
from apps.imports.drive import advance
from apps.imports.models import Import, ImportProblem, Mode
from apps.imports.services import start, upload
from apps.outbox.models import OutboundChange
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction


class Importing:
    """A member who imports files into one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant_id = tenant.pk
        with tenant_transaction(tenant.pk):
            self.user = User.objects.create_user("importer@northwind.example", "correct horse battery")

    def upload(self, data: bytes | str, record_type: str = "person", filename: str = "people.csv") -> Import:
        raw = data.encode() if isinstance(data, str) else data
        with tenant_transaction(self.tenant_id):
            return upload(
                record_type=record_type, filename=filename, source=io.BytesIO(raw), size=len(raw), user=self.user
            )

    def start(
        self, row: Import, mapping: dict[int, str] | None = None, *, mode: Mode = Mode.UPDATE, reactivates: bool = True,
        to: List | None = None,
    ) -> Import:  # fmt: skip
        with tenant_transaction(self.tenant_id):
            chosen = guess(row.record_type, row.header, targets_of(row.record_type)) if mapping is None else mapping
            start(row=row, mapping=chosen, mode=mode, reactivates=reactivates, to=to, user=self.user)
        return row

    def finish(self, row: Import) -> Import:
        """Drive it to its end."""
        for _ in range(100):
            with tenant_transaction(self.tenant_id):
                found: Import = Import.objects.get(id=row.pk)
            if not found.is_open:
                assert found.rows == found.created + found.updated + found.unchanged + found.skipped + found.failed
                return found
            advance(self.tenant_id, row.pk)
        raise AssertionError("The import did not end.")

    def run(self, data: bytes | str, record_type: str = "person", **options: Any) -> Import:
        return self.finish(self.start(self.upload(data, record_type), **options))

    def counts(self, row: Import) -> tuple[int, int, int, int, int]:
        return row.created, row.updated, row.unchanged, row.skipped, row.failed

    def people(self, **where: Any) -> list[Person]:
        with tenant_transaction(self.tenant_id):
            return list(Person.objects.filter(**where).order_by("id"))

    def problems(self, row: Import) -> list[tuple[int, str]]:
        with tenant_transaction(self.tenant_id):
            return list(ImportProblem.objects.filter(source_id=row.pk).order_by("row").values_list("row", "reason"))

    def queued(self) -> dict[int, set[str]]:
        with tenant_transaction(self.tenant_id):
            return {change.local_id: set(change.fields) for change in OutboundChange.objects.all()}
