"""The seeded profile, its versions, and mappings whose fields go away (A09, C07, C08, C15)."""

import pytest

from apps.audience.fields import FIELDS, local_field
from apps.domain.mapping import Direction, Way
from apps.domain.values import FieldType
from apps.field_mappings.compatibility import pause_reason
from apps.field_mappings.models import BaselineLayout, FieldMapping, MappingVersion, Profile, SyncStep
from apps.field_mappings.needs import note_needed_fields
from apps.field_mappings.setup import STEPS, seed_custom_profile
from apps.field_mappings.versions import layout_for, load_steps, save_version
from apps.integrations.metadata import cached_schema, refresh_metadata
from apps.integrations.models import Connection
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser

C07 = {
    "Account": {"Name", "Website", "Industry", "NumberOfEmployees", "AnnualRevenue", "BillingCountry", "BillingCity"},
    "Contact": {"Email", "FirstName", "LastName", "Title", "Phone"},
    "Lead": {"Email", "FirstName", "LastName", "Title", "Phone", "Company"},
    "Opportunity": {"Name", "Amount", "StageName", "CloseDate", "AccountId"},
}


def test_seed_has_every_mapping_of_the_requirement_and_writes_nothing_out(seeded: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        for sobject, fields in C07.items():
            mapped = FieldMapping.objects.filter(step__sobject=sobject).values_list("remote_field", flat=True)
            assert fields <= set(mapped)
        assert set(FieldMapping.objects.values_list("way_in", "way_out")) == {("overwrite", "off")}
        assert set(SyncStep.objects.values_list("create_remote", "update_remote")) == {(False, False)}
        keys = FieldMapping.objects.filter(is_key=True).values_list("step__sobject", "remote_field")
        assert set(keys) == {("Account", "Website"), ("Contact", "Email"), ("Lead", "Email")}


def test_accounts_come_before_contacts_before_leads_before_opportunities(seeded: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        steps = SyncStep.objects.order_by("position").values_list("sobject", flat=True)
        assert list(steps) == ["Account", "Contact", "Lead", "Opportunity"]


def test_seeding_again_keeps_what_was_edited(seeded: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        FieldMapping.objects.filter(remote_field="Title").delete()
        seed_custom_profile(seeded)
        assert not FieldMapping.objects.filter(remote_field="Title").exists()
        assert Profile.objects.count() == 1


def test_every_seeded_local_field_exists() -> None:
    for _, local_type, mappings in STEPS:
        for _, name, _ in mappings:
            assert name in FIELDS[local_type]


def test_version_holds_the_steps_as_the_decider_reads_them(seeded: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        steps = load_steps(save_version(seeded).document)
    lead = next(step for step in steps if step.sobject == "Lead")
    assert (lead.local_type, lead.direction, lead.pulls, lead.pushes) == ("person", Direction.PULL, True, False)
    assert lead.key_rule is not None
    assert (lead.key_rule.remote_field, lead.key_rule.remote_type) == ("Email", FieldType.EMAIL)
    assert {lead.way_in(rule) for rule in lead.rules} == {Way.OVERWRITE}
    assert {lead.way_out(rule) for rule in lead.rules} == {Way.OFF}


def test_saving_unchanged_mappings_makes_no_new_version_and_a_change_makes_one(
    seeded: Connection, tenant: Tenant
) -> None:
    with tenant_transaction(tenant.pk):
        first = save_version(seeded)
        assert save_version(seeded).pk == first.pk
        FieldMapping.objects.filter(remote_field="Title").update(way_in="fill")
        assert save_version(seeded).number == first.number + 1
        assert MappingVersion.objects.get(id=first.pk).document == first.document


def test_hidden_field_pauses_only_its_mapping_and_comes_back_by_itself(
    seeded: Connection, tenant: Tenant, emulator: EmulatorControl, org: OrgUser
) -> None:
    emulator.hide(org.org_id, "Lead.Title")
    refresh_metadata(tenant.pk, seeded.pk)
    with tenant_transaction(tenant.pk):
        lead = next(step for step in load_steps(save_version(seeded).document) if step.sobject == "Lead")
        assert "Title" not in {rule.remote_field for rule in lead.rules}
        assert "Phone" in {rule.remote_field for rule in lead.rules}
        paused = FieldMapping.objects.exclude(paused_reason="")
        assert [(m.step.sobject, m.remote_field) for m in paused] == [("Lead", "Title")]
    emulator.hide(org.org_id)
    refresh_metadata(tenant.pk, seeded.pk)
    with tenant_transaction(tenant.pk):
        save_version(seeded)
        assert not FieldMapping.objects.exclude(paused_reason="").exists()


@pytest.mark.parametrize(
    ("remote", "local", "words"),
    [
        ("AnnualRevenue", "annual_revenue", ""),
        ("NumberOfEmployees", "annual_revenue", ""),
        ("AnnualRevenue", "description", ""),
        ("Industry", "employees", "takes a number"),
        ("Industry", "owner", "takes a reference"),
        ("Nothing__c", "name", "deleted in Salesforce, or is hidden"),
    ],
)
def test_types_that_do_not_fit_are_refused_with_the_reason(
    seeded: Connection, tenant: Tenant, remote: str, local: str, words: str
) -> None:
    with tenant_transaction(tenant.pk):
        schema = cached_schema(seeded, "Account")
    reason = pause_reason(schema, remote, local_field("company", local))
    assert (words in reason) if words else reason == ""


def test_object_that_cannot_be_seen_pauses_its_mappings(seeded: Connection) -> None:
    assert "cannot see this object" in pause_reason(None, "Name")


def test_fields_in_use_are_told_to_the_checks(seeded: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        needed = note_needed_fields(seeded)
        assert list(needed) == ["Account", "Contact", "Lead", "Opportunity"]
        assert needed["Lead"][0] == "Email"
        assert Connection.objects.get().needed_fields == needed


def test_equal_rules_share_one_layout(seeded: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        steps = {step.sobject: step for step in load_steps(save_version(seeded).document)}
        first = layout_for(steps["Lead"].rules)
        assert layout_for(steps["Lead"].rules).pk == first.pk
        assert layout_for(steps["Contact"].rules).pk != first.pk
        assert BaselineLayout.objects.count() == 2


def test_versions_of_another_tenant_are_not_seen(seeded: Connection, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        save_version(seeded)
    with tenant_transaction(other_tenant.pk):
        assert not MappingVersion.objects.exists()
        assert not Profile.objects.exists()
