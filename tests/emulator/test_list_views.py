"""List views and their describes, in the shape of the REST API guide."""

from tests.emulator.client import Client

TODAY = "Today's Leads"


def test_list_views_are_named_and_described(sf: Client) -> None:
    body = sf.get("sobjects/Lead/listviews").body
    assert (body["done"], body["size"], body["sobjectType"]) == (True, 3, "Lead")
    named = {view["label"]: view for view in body["listviews"]}
    assert named.keys() == {"All Leads", "My Leads", TODAY}
    today = sf.get(f"sobjects/Lead/listviews/{named[TODAY]['id']}/describe").body
    assert today["scope"] == "everything"
    assert today["whereCondition"]["conditions"] == [
        {"field": "CreatedDate", "operator": "equals", "values": ["TODAY"]}
    ]
    assert sf.get("sobjects/Lead/listviews/AllLeads/describe").body["whereCondition"] is None


def test_a_list_view_that_is_not_there_is_not_found(sf: Client) -> None:
    assert sf.get("sobjects/Lead/listviews/00Bxx0000000001AAA/describe").status == 404
