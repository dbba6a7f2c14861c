from tests.console.mappings.conftest import Desk


def test_open(desk: Desk) -> None:
    step = desk.step()
    mapping = desk.mapping("Title")
    for url in (
        "profiles/",
        "profiles/switch/?to=default",
        "profiles/add-step/",
        "objects/lead/",
        "objects/contact/",
        "objects/account/",
        "objects/opportunity/",
        "objects/campaign/",
        f"steps/{step.pk}/mappings/add/",
        f"steps/{step.pk}/mappings/add/?remote_field=Status",
        f"mappings/{mapping.pk}/values/",
        f"steps/{step.pk}/filter/in/",
        f"steps/{step.pk}/filter/out/",
        f"steps/{step.pk}/preview/",
        f"steps/{step.pk}/preview/?q=ada",
        f"steps/{step.pk}/remove/",
        "",
        "settings/",
        f"objects/lead/?saved={step.pk}",
    ):
        desk.text("/integrations/salesforce/" + url)
