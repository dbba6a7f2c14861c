"""The package's source format, turned into the metadata format that the Metadata API takes: a stable zip.

Only the types that the package uses are known; anything else in its folder is an error, so that nothing is left out
silently. The rules are those of Metadata API Developer Guide, "Metadata Types" and of the "CustomField" page: fields
lie in the file of their object, and those of tasks and events in that of Activity.
"""

import io
import xml.etree.ElementTree as ET  # reads our own files only
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
BASE_URL = "{{SYNCLINE_BASE_URL}}"
"""Stands in the files for the address of this deployment."""
_TAG = f"{{{NAMESPACE}}}"
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_META = "-meta.xml"
_CODE = {"classes": ("ApexClass", ".cls"), "pages": ("ApexPage", ".page")}
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The same moment for every entry, so that the same source gives the same bytes."""

ET.register_namespace("", NAMESPACE)


class UnknownSource(ValueError):
    """A file of the package that the converter does not know."""


@dataclass(frozen=True, slots=True)
class Package:
    """Files by their path in the zip, and members by type for package.xml."""

    files: dict[str, str]
    members: dict[str, list[str]]

    def zipped(self, api_version: str) -> bytes:
        """The zip that is deployed."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, text in sorted({**self.files, "package.xml": self.manifest(api_version)}.items()):
                entry = zipfile.ZipInfo(path, _BEGINNING)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, text)
        return buffer.getvalue()

    def manifest(self, api_version: str) -> str:
        """package.xml."""
        types = "".join(
            "    <types>\n"
            + "".join(f"        <members>{escape(name)}</members>\n" for name in sorted(names))
            + f"        <name>{kind}</name>\n    </types>\n"
            for kind, names in sorted(self.members.items())
            if names
        )
        return f'{_HEADER}<Package xmlns="{NAMESPACE}">\n{types}    <version>{api_version}</version>\n</Package>\n'


def read_package(folder: Path, *, base_url: str, with_panel: bool) -> Package:
    """The package of a source folder. Without the panel it has no Apex and no Visualforce, for editions without."""
    files: dict[str, str] = {}
    members: dict[str, list[str]] = defaultdict(list)
    fields: dict[str, list[str]] = defaultdict(list)
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        kind, name = path.relative_to(folder).parts[0], path.name
        text = path.read_text(encoding="utf-8").replace(BASE_URL, escape(base_url))
        if kind == "objects" and name.endswith(f".field{_META}"):
            sobject = path.parts[-3]
            fields[sobject].append(_field(text))
            members["CustomField"].append(f"{sobject}.{name.removesuffix(f'.field{_META}')}")
        elif kind == "permissionsets" and name.endswith(f".permissionset{_META}"):
            files[f"permissionsets/{name.removesuffix(_META)}"] = text if with_panel else _without_panel(text)
            members["PermissionSet"].append(name.removesuffix(f".permissionset{_META}"))
        elif kind in _CODE and name.removesuffix(_META).endswith(_CODE[kind][1]):
            if with_panel:
                files[f"{kind}/{name}"] = text
                if not name.endswith(_META):
                    members[_CODE[kind][0]].append(name.removesuffix(_CODE[kind][1]))
        else:
            raise UnknownSource(str(path))
    for sobject, parts in fields.items():
        body = "".join(parts)
        files[f"objects/{sobject}.object"] = f'{_HEADER}<CustomObject xmlns="{NAMESPACE}">\n{body}</CustomObject>\n'
    return Package(files, dict(members))


def package_fields(folder: Path) -> dict[str, set[str]]:
    """The package's fields as the API names them: those of Activity are fields of tasks."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in folder.glob(f"objects/*/fields/*.field{_META}"):
        sobject = path.parts[-3]
        found["Task" if sobject == "Activity" else sobject].add(path.name.removesuffix(f".field{_META}"))
    return dict(found)


def _field(text: str) -> str:
    """A field's file as a part of its object's file."""
    root = ET.fromstring(text)  # noqa: S314 - our own file
    if root.tag != f"{_TAG}CustomField":
        raise UnknownSource(root.tag)
    lines = [
        f"        <{one.tag.removeprefix(_TAG)}>{escape(one.text or '')}</{one.tag.removeprefix(_TAG)}>\n"
        for one in root
    ]
    return "    <fields>\n" + "".join(lines) + "    </fields>\n"


def _without_panel(text: str) -> str:
    root = ET.fromstring(text)  # noqa: S314 - our own file
    for name in ("classAccesses", "pageAccesses"):
        for one in root.findall(f"{_TAG}{name}"):
            root.remove(one)
    return _HEADER + ET.tostring(root, encoding="unicode") + "\n"
