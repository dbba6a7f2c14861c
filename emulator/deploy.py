"""Deployments of metadata: a zip is checked and, at its last look, really changes the org (Metadata API Developer
Guide, "deployRequest", "DeployResult"; wordings of problems as public deployment logs show them)."""

import io
import xml.etree.ElementTree as ET  # the emulator listens on loopback only
import zipfile
from dataclasses import dataclass, field
from typing import Any

from emulator.org import Org
from emulator.records import Writer
from emulator.rules import Author

_NS = "{http://soap.sforce.com/2006/04/metadata}"
_LOOKS = 3
"""Looks until a deployment has ended: pending, in progress, done."""
_TYPES = {"Text": "string", "Number": "double", "DateTime": "datetime", "Checkbox": "boolean", "Url": "url"}
_NOT_THERE = "An object '{}' of type {} was named in package.xml, but was not found in zipped directory"
_FILES = {
    "ApexClass": ("classes", "cls"),
    "ApexPage": ("pages", "page"),
    "PermissionSet": ("permissionsets", "permissionset"),
}
_WITHOUT_APEX = frozenset({"Professional Edition", "Team Edition", "Base Edition"})


@dataclass(slots=True)
class Deployment:
    """One of them, as far as it is."""

    id: str
    files: dict[str, bytes]
    options: dict[str, Any]
    looks: int = 0
    status: str = "Pending"
    members: list[tuple[str, str]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""

    def result(self) -> dict[str, Any]:
        """The DeployResult."""
        ended = self.status in {"Succeeded", "Failed", "Canceled"}
        total = len(self.members)
        return {
            "id": self.id,
            "status": self.status,
            "done": ended,
            "success": self.status == "Succeeded",
            "numberComponentsTotal": total,
            "numberComponentsDeployed": total if self.status == "Succeeded" else total // 2 if self.looks > 1 else 0,
            "numberComponentErrors": len(self.failures),
            "errorMessage": self.message or None,
            "checkOnly": False,
            "rollbackOnError": True,
            "details": {"componentFailures": self.failures, "componentSuccesses": [], "runTestResult": None},
        }


def begin(org: Org, content: bytes, options: dict[str, Any]) -> Deployment:
    """Take a zip in."""
    deploy_id = org.make_id("0Af", len(org.deployments) + 1)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        files = {}
    made = org.deployments[deploy_id] = Deployment(deploy_id, files, options)
    return made


def look(org: Org, deployment: Deployment, author: Author) -> Deployment:
    """One look further; the last one changes the org."""
    if deployment.status == "Canceling":
        deployment.status = "Canceled"
    if deployment.status not in {"Pending", "InProgress"}:
        return deployment
    deployment.looks += 1
    if deployment.looks == 1:
        return deployment
    if deployment.looks < _LOOKS:
        _read_manifest(deployment)
        deployment.status = "InProgress"
        return deployment
    _check(org, deployment)
    if deployment.failures or deployment.message:
        deployment.status = "Failed"
        return deployment
    _carry_out(org, deployment, author)
    deployment.status = "Succeeded"
    return deployment


# -- checking ---------------------------------------------------------------------------------------------------


def _read_manifest(deployment: Deployment) -> None:
    manifest = deployment.files.get("package.xml")
    if manifest is None:
        deployment.message = "UNKNOWN_EXCEPTION: No package.xml found"
        return
    try:
        root = ET.fromstring(manifest)  # noqa: S314 - see above
    except ET.ParseError as error:
        deployment.message = f"Error parsing package.xml: {error}"
        return
    if root.tag != f"{_NS}Package" or root.findtext(f"{_NS}version") is None:
        deployment.message = "package.xml: not a Package with a version"
        return
    for types in root.findall(f"{_NS}types"):
        kind = types.findtext(f"{_NS}name") or ""
        deployment.members += [(kind, one.text or "") for one in types.findall(f"{_NS}members")]


def _check(org: Org, deployment: Deployment) -> None:
    fields = _fields_of(deployment)
    for kind, name in deployment.members:
        problem = _problem(org, deployment, kind, name, fields)
        if problem:
            _fail(deployment, kind, name, problem)
    for scripted in org.options["deploy_errors"]:
        _fail(deployment, scripted.get("type", "CustomField"), scripted["name"], scripted["problem"])
    wanted = deployment.options.get("runTests") or []
    classes = {name for kind, name in deployment.members if kind == "ApexClass"}
    for name in wanted:
        if name not in classes:
            deployment.message = f"INVALID_OPERATION: Test class {name} is not in the deployment"


def _problem(org: Org, deployment: Deployment, kind: str, name: str, fields: dict[str, dict[str, Any]]) -> str:
    if kind == "CustomField":
        facts = fields.get(name)
        if facts is None:
            return _NOT_THERE.format(name, kind)
        return _field_problem(org, facts)
    if kind not in _FILES:
        return f"Unknown type name '{kind}' specified in package.xml"
    if kind != "PermissionSet" and org.edition in _WITHOUT_APEX:
        return f"Not available for deploy for this organization: {kind}"
    folder, ending = _FILES[kind]
    path = f"{folder}/{name}.{ending}"
    if path not in deployment.files:
        return _NOT_THERE.format(name, kind)
    if kind != "PermissionSet":
        return "" if f"{path}-meta.xml" in deployment.files else f"{path}-meta.xml is missing"
    known = set(fields) | {f"{o.name}.{f}" for o in org.schema.objects.values() for f in o.fields}
    return next(
        (
            f"In field: field - no CustomField named {one} found"
            for one in _granted(deployment.files[path])
            if one.replace("Event.", "Activity.") not in known and one.replace("Task.", "Activity.") not in known
        ),
        "",
    )


def _field_problem(org: Org, facts: dict[str, Any]) -> str:
    if _api_object(facts["sobject"]) not in org.schema.objects:
        return f"Entity {facts['sobject']} not found"
    if not facts["label"]:
        return "Required field is missing: label"
    if facts["xml_type"] not in _TYPES:
        return f"Invalid type: {facts['xml_type']}"
    if facts["xml_type"] == "Text" and not facts["calculated"] and not facts["length"]:
        return f"Must specify 'length' for a CustomField of type Text: {facts['name']}"
    if facts["unique"] and facts["xml_type"] not in {"Text", "Number"}:
        return "Cannot specify 'unique' for this type"
    return ""


def _fail(deployment: Deployment, kind: str, name: str, problem: str) -> None:
    deployment.failures.append(
        {"componentType": kind, "fullName": name, "problem": problem, "problemType": "Error", "success": False}
    )


def _fields_of(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Fields by ``Object.Field``, from the files of objects."""
    found: dict[str, dict[str, Any]] = {}
    for path, content in deployment.files.items():
        if not path.startswith("objects/") or not path.endswith(".object"):
            continue
        sobject = path.removeprefix("objects/").removesuffix(".object")
        for one in ET.fromstring(content).findall(f"{_NS}fields"):  # noqa: S314 - see above
            told = {part.tag.removeprefix(_NS): part.text or "" for part in one}
            found[f"{sobject}.{told.get('fullName')}"] = {
                "sobject": sobject,
                "name": told.get("fullName", ""),
                "label": told.get("label", ""),
                "xml_type": told.get("type", ""),
                "length": int(told.get("length") or 0),
                "precision": int(told.get("precision") or 0),
                "scale": int(told.get("scale") or 0),
                "externalId": told.get("externalId") == "true",
                "unique": told.get("unique") == "true",
                "calculated": "formula" in told,
            }
    return found


def _granted(content: bytes) -> list[str]:
    root = ET.fromstring(content)  # noqa: S314 - see above
    return [one.findtext(f"{_NS}field") or "" for one in root.findall(f"{_NS}fieldPermissions")]


def _api_object(name: str) -> str:
    """Fields of Activity are fields of tasks."""
    return "Task" if name == "Activity" else name


# -- carrying out -----------------------------------------------------------------------------------------------


def _carry_out(org: Org, deployment: Deployment, author: Author) -> None:
    """New fields are there, and out of everybody's sight until the permission set is assigned."""
    new = []
    for facts in _fields_of(deployment).values():
        sobject = _api_object(facts["sobject"])
        if facts["name"] in org.schema.objects[sobject].fields:
            continue
        plain = {key: facts[key] for key in ("name", "label", "length", "precision", "scale", "externalId", "unique")}
        writable = not facts["calculated"]
        new.append(
            {
                **plain,
                "sobject": sobject,
                "type": _TYPES[facts["xml_type"]],
                "calculated": facts["calculated"],
                "createable": writable,
                "updateable": writable,
            }
        )
    hidden = [f"{facts['sobject']}.{facts['name']}" for facts in new]
    org.change(
        {
            "custom_fields": [*org.options["custom_fields"], *new],
            "ungranted": [*org.options["ungranted"], *hidden],
        }
    )
    for kind, name in deployment.members:
        if kind == "PermissionSet" and not org.store.rows("PermissionSet", {"Name": name}):
            Writer(org, Author(author.user_id, is_api=False)).create("PermissionSet", {"Name": name, "Label": name})
    if any(org.store.rows("PermissionSetAssignment", {})):
        org.change({"ungranted": []})
