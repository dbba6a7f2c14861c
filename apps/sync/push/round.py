"""One round of a push: what it works with, and how it begins and ends for what comes to nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from apps.domain.failures import RowFailure
from apps.domain.mapping import FieldRule
from apps.domain.owning import OwnerPolicy
from apps.domain.ports import ObjectSchema
from apps.domain.rows import PERSON_ACCOUNT
from apps.field_mappings.models import StepKind
from apps.field_mappings.selectors import ExtraStep, extra_steps
from apps.field_mappings.versions import layout_for
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.sync.contexts import context_of, owner_policy, steps_of
from apps.sync.drafts import Context
from apps.sync.lanes import Hold
from apps.sync.models import SyncRun
from apps.sync.push.claims import Claimed, settle
from apps.sync.replanning import take_mappings
from apps.sync_errors.services import resolve_record_errors
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction


@dataclass
class Round:
    """What a round works with. ``schemas`` are the cached describes of the sObjects that the steps name."""

    hold: Hold
    gateway: Gateway
    run: SyncRun
    connection: Connection
    settings: SyncSettings
    claims: dict[int, Claimed]
    local_type: str
    is_conditional: bool = False
    """Each row is written only if it is as it was read."""
    status_steps: list[ExtraStep] = field(default_factory=list)
    """The steps that translate a person's state into the status of their lead."""
    schemas: dict[str, ObjectSchema] = field(default_factory=dict)
    read_at: datetime | None = None
    """Org time when the rows had been read."""
    layouts: dict[tuple[str, ...], int] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    """Records of this round whose change is settled, held or given back."""
    written: set[int] = field(default_factory=set)
    """Records of which a row was written."""
    again: set[int] = field(default_factory=set)
    """Records whose row has moved since it was read: their change waits again."""
    broken: RowFailure | None = None
    """A field that rows were refused for because it is gone or read-only by now."""
    account: ObjectSchema | None = None
    """The describe of Account where people may be person accounts."""
    person_accounts: dict[str, str] = field(default_factory=dict)
    """Contact → account of the rows read that are person accounts: they are written through the account."""
    owner_policy: OwnerPolicy = field(default_factory=OwnerPolicy)
    """Who owns what its owner here cannot own there."""
    pulled: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0

    def context(self, sobject: str) -> Context:
        """The context for rows of an sObject."""
        return context_of(self.run, sobject, settings=self.settings)

    def layout_of(self, rules: tuple[FieldRule, ...]) -> int:
        """The id of the layout of these rules, looked up once."""
        key = tuple(rule.key for rule in rules)
        if key not in self.layouts:
            self.layouts[key] = layout_for(rules).pk
        return self.layouts[key]

    @property
    def open_claims(self) -> list[Claimed]:
        """Claims that nothing has become of yet."""
        return [claim for claim in self.claims.values() if claim.local_id not in self.done]


def begin_round(hold: Hold, gateway: Gateway, claims: Sequence[Claimed]) -> Round:
    """Load what the round needs, with the mappings of now, which know every field that its claims name."""
    with tenant_transaction(hold.tenant_id):
        run = SyncRun.objects.get(id=hold.run_id)
        connection = Connection.objects.get(id=run.connection_id)
        take_mappings(hold, run, connection)
        local_type = claims[0].local_type
        made = Round(
            hold, gateway, run, connection, settings_of(connection), {c.local_id: c for c in claims}, local_type
        )
        made.owner_policy = owner_policy(made.settings)
        if local_type == "person" and made.settings.person_accounts:
            account = cached_schema(connection, "Account")
            made.account = account if account is not None and PERSON_ACCOUNT in account.fields else None
        for sobject in {step.sobject for step in steps_of(run) if step.local_type == local_type}:
            schema = cached_schema(connection, sobject)
            if schema is not None:
                made.schemas[sobject] = schema
        if local_type == "person":
            made.status_steps = extra_steps(connection, StepKind.STATUS)
    return made


def settle_quiet(work: Round, records: set[int]) -> None:
    """Changes that came to nothing to write are done with."""
    quiet = [claim for claim in work.open_claims if claim.local_id in records]
    if quiet:
        with tenant_transaction(work.hold.tenant_id):
            work.hold.check()
            settle(quiet)
            ids = [claim.local_id for claim in quiet]
            resolve_record_errors(local_type=work.local_type, local_ids=ids, at=timezone.now())
        work.done |= {claim.local_id for claim in quiet}
