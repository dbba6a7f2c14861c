"""Deployments (Metadata API Developer Guide, "deployRequest"): what is refused, and that a refusal changes nothing."""

import io
import json
import zipfile
from typing import Any

import pytest

from emulator.local import LocalEmulator

HEAD = '<?xml version="1.0" encoding="UTF-8"?><{0} xmlns="http://soap.sforce.com/2006/04/metadata">{1}</{0}>'
FIELD = (
    "<fields><fullName>Size__c</fullName><label>Size</label><length>40</length><type>Text</type>"
    "<externalId>true</externalId><unique>true</unique></fields>"
)


def manifest(*members: tuple[str, str]) -> str:
    types = "".join(f"<types><members>{name}</members><name>{kind}</name></types>" for kind, name in members)
    return HEAD.format("Package", f"{types}<version>66.0</version>")


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path.replace("__slash__", "/").replace("__dot__", "."), text)
    return buffer.getvalue()


class Org:
    """An org and its API user."""

    def __init__(self, local: LocalEmulator, **options: object) -> None:
        self.local = local
        self.org_id = local.control.create_org(**options)["id"]
        self.token = local.control.grant(self.org_id)["access_token"]

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        target = f"/services/data/v66.0/metadata/deployRequest{path}"
        answer = self.local.send(method, target, headers, body)
        return json.loads(answer.body) if answer.body else None

    def deploy(self, content: bytes) -> dict[str, Any]:
        """A deployment to its end."""
        body = (
            b'--B\r\nContent-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n'
            b'{"deployOptions": {"singlePackage": true}}\r\n'
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="p.zip"\r\n'
            b"Content-Type: application/zip\r\n\r\n" + content + b"\r\n--B--\r\n"
        )
        deploy_id = self.send("POST", "", body, "multipart/form-data; boundary=B")["id"]
        for _ in range(5):
            result: dict[str, Any] = self.send("GET", f"/{deploy_id}?includeDetails=true")["deployResult"]
            if result["done"]:
                return result
        raise AssertionError(result)

    def has(self, name: str) -> bool:
        answer = self.local.send(
            "GET", "/services/data/v66.0/sobjects/Lead/describe", {"Authorization": f"Bearer {self.token}"}, b""
        )
        return any(one["name"] == name for one in json.loads(answer.body)["fields"])


@pytest.fixture
def org(local: LocalEmulator) -> Org:
    return Org(local)


def objects(fields: str) -> dict[str, str]:
    return {"objects/Lead.object": HEAD.format("CustomObject", fields)}


def test_a_field_is_added_and_out_of_sight_until_the_permission_set_is_assigned(org: Org) -> None:
    result = org.deploy(zipped(**{"package.xml": manifest(("CustomField", "Lead.Size__c")), **objects(FIELD)}))
    assert (result["status"], result["numberComponentsDeployed"]) == ("Succeeded", 1)
    assert not org.has("Size__c")
    admin = org.local.control.query(org.org_id, "SELECT Id FROM User")[0]["Id"]
    made = org.local.control.create(org.org_id, "PermissionSet", Name="X", Label="X")
    org.local.control.create(org.org_id, "PermissionSetAssignment", PermissionSetId=made, AssigneeId=admin)
    assert org.has("Size__c")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"x": "y"}, "No package.xml found"),
        ({"package.xml": "<no"}, "Error parsing package.xml"),
        ({"package.xml": "<Package/>"}, "not a Package"),
        ({"package.xml": manifest(("CustomField", "Lead.Size__c"))}, "was not found in zipped directory"),
        ({"package.xml": manifest(("ApexClass", "X"))}, "was not found in zipped directory"),
        ({"package.xml": manifest(("ApexClass", "X")), "classes/X.cls": "class"}, "-meta.xml is missing"),
        ({"package.xml": manifest(("Tea", "X"))}, "Unknown type name 'Tea'"),
        (
            {
                "package.xml": manifest(("CustomField", "Lead.Size__c")),
                **objects(FIELD.replace("<length>40</length>", "")),
            },
            "Must specify 'length'",
        ),
        (
            {"package.xml": manifest(("CustomField", "Lead.Size__c")), **objects(FIELD.replace("Text", "Tea"))},
            "Invalid type: Tea",
        ),
        (
            {
                "package.xml": manifest(("PermissionSet", "P")),
                "permissionsets/P.permissionset": HEAD.format(
                    "PermissionSet", "<fieldPermissions><field>Lead.Nothing__c</field></fieldPermissions>"
                ),
            },
            "no CustomField named Lead.Nothing__c found",
        ),
    ],
)
def test_what_is_broken_is_refused_whole(org: Org, files: dict[str, str], words: str) -> None:
    result = org.deploy(zipped(**files))
    assert result["status"] == "Failed"
    told = [one["problem"] for one in result["details"]["componentFailures"]]
    assert words in " ".join([*told, result["errorMessage"] or ""])
    assert not org.has("Size__c")


def test_what_is_no_zip_is_refused(org: Org) -> None:
    assert "No package.xml" in org.deploy(b"no zip")["errorMessage"]


def test_a_deployment_of_another_org_is_not_found(local: LocalEmulator, org: Org) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="json"\r\n\r\n{"deployOptions": {}}\r\n--B--\r\n'
    deploy_id = org.send("POST", "", body, "multipart/form-data; boundary=B")["id"]
    assert Org(local).send("GET", f"/{deploy_id}")[0]["errorCode"] == "NOT_FOUND"
