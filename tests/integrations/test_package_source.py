"""The package's files: what Syncline reads and writes is in them, and they become a stable, valid zip."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from apps.domain.rows import EXTERNAL_ID
from apps.integrations.package.source import NAMESPACE, Package, UnknownSource, package_fields, read_package
from emulator.schema import _PACKAGE, _PACKAGE_FIELDS, parse_field

NS = f"{{{NAMESPACE}}}"
DESIGN = {
    "Lead": {
        "Syncline_Id__c", "Syncline_Lead_Score__c", "Syncline_Most_Recent_Visit__c", "Syncline_First_Touch_Channel__c",
        "Syncline_First_Touch_Source__c", "Syncline_Last_Touch_Channel__c", "Syncline_Last_Touch_Source__c",
        "Syncline_Link__c",
    },
    "Account": {"Syncline_Id__c"},
    "Task": {"Syncline_Activity_Id__c"},
}  # fmt: skip
DESIGN["Contact"] = DESIGN["Lead"]
_OWN_FIELD = re.compile(r"\bSyncline_[A-Za-z_]+?__c\b")


def built(*, with_panel: bool = True, base_url: str = "https://syncline.example") -> Package:
    return read_package(settings.SYNCLINE_PACKAGE, base_url=base_url, with_panel=with_panel)


def test_the_fields_are_those_of_the_design() -> None:
    assert package_fields(settings.SYNCLINE_PACKAGE) == DESIGN


def test_every_package_field_that_the_code_names_is_in_the_package() -> None:
    known = {name for names in DESIGN.values() for name in names}
    root = Path(settings.BASE_DIR) / "apps"
    named = {name for path in root.rglob("*.py") for name in _OWN_FIELD.findall(path.read_text(encoding="utf-8"))}
    assert EXTERNAL_ID in named
    assert named - known == set()


def test_the_stand_in_has_the_same_fields_of_the_same_types() -> None:
    types = {"Text": "string", "Number": "double", "DateTime": "datetime"}
    for sobject, group in _PACKAGE.items():
        there = {field.name: field for field in map(parse_field, _PACKAGE_FIELDS[group])}
        folder = settings.SYNCLINE_PACKAGE / "objects" / ("Activity" if sobject == "Task" else sobject) / "fields"
        ours = {path.name.partition(".")[0]: ET.parse(path).getroot() for path in folder.iterdir()}
        assert there.keys() == ours.keys()
        for name, root in ours.items():
            told = {one.tag.removeprefix(NS): one.text for one in root}
            assert types[told["type"] or ""] == there[name].type, name
            assert (told.get("externalId") == "true", told.get("unique") == "true") == (
                "x" in there[name].flags,
                there[name].is_unique,
            ), name
            if "formula" not in told and told["type"] == "Text":
                assert int(told["length"] or 0) == there[name].length, name


def test_every_field_has_access_by_the_permission_set_and_only_the_link_is_read_only() -> None:
    root = ET.fromstring(built().files["permissionsets/Syncline.permissionset"])
    granted = {
        one.findtext(f"{NS}field"): one.findtext(f"{NS}editable") for one in root.findall(f"{NS}fieldPermissions")
    }
    wanted = {f"{sobject}.{name}" for sobject, names in DESIGN.items() for name in names}
    assert granted.keys() == wanted | {"Event.Syncline_Activity_Id__c"}  # a field of Activity is one of events, too
    assert {name for name, editable in granted.items() if editable != "true"} == {
        "Lead.Syncline_Link__c",
        "Contact.Syncline_Link__c",
    }


def test_the_zip_has_a_file_for_every_member_and_a_member_for_every_file() -> None:
    archive = zipfile.ZipFile(io.BytesIO(built().zipped("66.0")))
    root = ET.fromstring(archive.read("package.xml"))
    assert root.findtext(f"{NS}version") == "66.0"
    members = {
        one.findtext(f"{NS}name"): [m.text or "" for m in one.findall(f"{NS}members")]
        for one in root.findall(f"{NS}types")
    }
    fields = {
        f"{name.removeprefix('objects/').removesuffix('.object')}.{one.findtext(f'{NS}fullName')}"
        for name in archive.namelist()
        if name.endswith(".object")
        for one in ET.fromstring(archive.read(name)).findall(f"{NS}fields")
    }
    assert set(members["CustomField"]) == fields
    assert "Activity.Syncline_Activity_Id__c" in fields
    others = {f"classes/{m}.cls" for m in members["ApexClass"]} | {f"pages/{m}.page" for m in members["ApexPage"]}
    others |= {f"{name}-meta.xml" for name in others} | {
        f"permissionsets/{m}.permissionset" for m in members["PermissionSet"]
    }
    assert {name for name in archive.namelist() if not name.startswith("objects/")} == others | {"package.xml"}
    assert archive.testzip() is None


def test_the_same_source_gives_the_same_bytes() -> None:
    assert built().zipped("66.0") == built().zipped("66.0")


def test_the_address_of_this_deployment_is_put_in_as_text() -> None:
    files = built(base_url="https://a.example/?x=1&y=<z>").files
    link = ET.fromstring(files["objects/Lead.object"])
    formula = next(one.text or "" for one in link.iter(f"{NS}formula"))
    assert formula.startswith(
        'HYPERLINK("https://a.example/?x=1&y=<z>/embedded/salesforce/view/?org=" & $Organization.Id'
    )
    assert not [name for name, text in files.items() if "{{" in text]


def test_without_the_panel_there_is_no_code_and_nothing_that_names_it() -> None:
    package = built(with_panel=False)
    assert package.members.keys() == {"CustomField", "PermissionSet"}
    assert not [name for name in package.files if name.startswith(("classes/", "pages/"))]
    assert "SynclinePanelController" not in "".join(package.files.values())
    assert "SynclineLead" not in "".join(package.files.values())


def test_a_file_that_the_converter_does_not_know_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "X.flow-meta.xml").write_text("<Flow/>", encoding="utf-8")
    with pytest.raises(UnknownSource, match=r"X\.flow-meta\.xml"):
        read_package(tmp_path, base_url="https://a.example", with_panel=True)


def test_the_templates_of_the_app_are_well_formed_and_name_our_addresses() -> None:
    folder = Path(settings.BASE_DIR) / "salesforce_package" / "app-template"
    files = list(folder.rglob("*.xml"))
    assert len(files) == 5
    text = "".join(ET.tostring(ET.parse(path).getroot(), encoding="unicode") for path in files)
    assert text.count("{{SYNCLINE_BASE_URL}}/embedded/salesforce/") == 2
    assert text.count("{{SYNCLINE_BASE_URL}}/integrations/salesforce/callback/") == 2


def test_the_pages_hand_the_record_and_the_moment_to_our_app() -> None:
    for name in ("Lead", "Contact"):
        page = (settings.SYNCLINE_PACKAGE / "pages" / f"Syncline{name}.page").read_text(encoding="utf-8")
        assert f'standardController="{name}"' in page
        assert 'developerName="Syncline"' in page
        assert "{!parameters}" in page
    controller = (settings.SYNCLINE_PACKAGE / "classes" / "SynclinePanelController.cls").read_text(encoding="utf-8")
    assert {"'recordId'", "'renderedAt'"} <= set(re.findall(r"'\w+'", controller))
