"""Group and Essentials editions (B03): Campaigns are left out, as a pair of runs with the setting off and on."""

import pytest

from apps.audience.models import List, ListKind
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


@pytest.mark.parametrize("is_group", [False, True])
def test_campaigns_come_in_unless_the_edition_has_none(near_world: World, is_group: bool) -> None:
    world = near_world
    org = world.org.org_id
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    fair = world.emulator.create(org, "Campaign", Name="Fair")
    world.emulator.create(org, "CampaignMember", CampaignId=fair, LeadId=lead)
    world.settings(group_edition=is_group)
    run = world.sync()
    assert {"Campaign", "CampaignMember"} & world.counts(run).keys() == (
        set() if is_group else {"Campaign", "CampaignMember"}
    )
    later = world.emulator.create(org, "Campaign", Name="Later")
    world.change("Lead", lead, FirstName="Ada")
    world.poll()
    with tenant_transaction(world.tenant_id):
        known = set(List.objects.filter(kind=ListKind.CAMPAIGN).values_list("remote_id", flat=True))
    assert known == (set() if is_group else {fair, later})
    assert world.person(lead).first_name == "Ada"
