"""The steps in force, as pages ask for them: what a step lets through for one type of record."""

from collections.abc import Sequence

from django.utils import timezone

from apps.domain.mapping import FieldRule, Step, Way
from apps.field_mappings.models import MappingVersion
from apps.field_mappings.versions import load_steps
from apps.integrations.models import Connection
from apps.sync.contexts import as_of


def active_steps(connection: Connection, local_type: str = "") -> list[Step]:
    """The steps of the latest mapping version, in order; those of one local type where it is named."""
    latest = MappingVersion.objects.filter(connection=connection).order_by("-number").first()
    if latest is None:
        return []
    steps = as_of(tuple(load_steps(latest.document)), timezone.now())
    return [step for step in steps if not local_type or step.local_type == local_type]


def is_inbound_only(step: Step, rule: FieldRule) -> bool:
    """Whether Salesforce's value returns after an edit here (the decider's "only the way in is on")."""
    return step.way_in(rule) is Way.OVERWRITE and step.way_out(rule) is not Way.OVERWRITE


def returning_fields(steps: Sequence[Step], sobject: str = "") -> set[str]:
    """Local fields whose value Salesforce rules: in the steps of one sObject, or in every step that maps them."""
    concerned = [step for step in steps if not sobject or step.sobject == sobject]
    ruled = {rule.local_field for step in concerned for rule in step.rules if is_inbound_only(step, rule)}
    free = {rule.local_field for step in concerned for rule in step.rules if step.way_out(rule) is Way.OVERWRITE}
    return ruled - free


def may_create(steps: Sequence[Step]) -> bool:
    """Whether some step makes rows in Salesforce."""
    return any(step.pushes and step.create_remote for step in steps)
