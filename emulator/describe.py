"""Describes as Salesforce answers them: all keys of the recorded ones, in their order."""

from typing import Any

from emulator.schema import Field, Schema, SObject

_SOAP = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "double": "xsd:double",
         "currency": "xsd:double", "percent": "xsd:double", "int": "xsd:int", "datetime": "xsd:dateTime",
         "date": "xsd:date", "time": "xsd:time", "address": "urn:address", "location": "urn:location",
         "base64": "xsd:base64Binary", "anyType": "xsd:anyType"}  # fmt: skip
_LONG = 255
_FLAGS = {
    "autoNumber": "a",
    "calculated": "k",
    "defaultedOnCreate": "d",
    "externalId": "x",
    "idLookup": "i",
    "nameField": "N",
    "namePointing": "P",
    "nillable": "n",
    "permissionable": "p",
    "polymorphicForeignKey": "P",
}
"""Keys that say whether a field has one of the flags of ``emulator.schema``."""
_SAME: dict[str, Any] = {
    "aiPredictionField": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}
"""Keys whose values are those of every field that there is."""


def field_describe(field: Field) -> dict[str, Any]:
    """One element of ``fields``; its keys come in the order of the alphabet."""
    flags = {key: flag in field.flags for key, flag in _FLAGS.items()}
    return dict(sorted({**_SAME, **flags, **_what_it_holds(field), **_what_it_can(field)}.items()))


def _what_it_holds(field: Field) -> dict[str, Any]:
    kind = field.type
    return {
        "byteLength": field.length if kind in {"id", "reference"} else field.length * 3,
        "compoundFieldName": field.compound,
        "custom": field.is_custom,
        "defaultValue": False if kind == "boolean" else field.default,
        "digits": field.digits,
        "encrypted": kind == "encryptedstring",
        "extraTypeInfo": "plaintextarea" if kind == "textarea" else "personname" if _is_person_name(field) else None,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "picklistValues": [
            {"active": True, "defaultValue": v.is_default, "label": v.label, "validFor": None, "value": v.value}
            for v in field.values
        ],
        "precision": field.precision,
        "referenceTo": list(field.refers_to),
        "relationshipName": field.relationship,
        "restrictedPicklist": field.is_restricted,
        "scale": field.scale,
        "soapType": _SOAP.get(kind, "xsd:string"),
        "type": kind,
        "unique": field.is_unique,
    }


def _what_it_can(field: Field) -> dict[str, Any]:
    """What statements may do with it."""
    kind = field.type
    is_long = kind == "textarea" and field.length > _LONG
    is_compound = kind in {"address", "location"}
    return {
        "aggregatable": not (kind == "boolean" or is_compound or is_long),
        "createable": field.is_createable,
        "filterable": not is_long,
        "groupable": not (field.is_number or is_compound or is_long or kind in {"datetime", "combobox"}),
        "queryByDistance": is_compound,
        "searchPrefilterable": kind == "reference",
        "sortable": not (is_compound or is_long),
        "updateable": field.is_updateable,
    }


def _is_person_name(field: Field) -> bool:
    return field.name == "Name" and field.type == "string" and field.length == 121


def global_entry(sobject: SObject, version: str) -> dict[str, Any]:
    """One element of ``sobjects`` in describe-global (describe/global.json)."""
    flags = sobject.flags
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": "c" in flags,
        "custom": sobject.is_custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": "d" in flags,
        "deprecatedAndHidden": False,
        "feedEnabled": "f" in flags,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix or None,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": "l" in flags,
        "mergeable": "m" in flags,
        "mruEnabled": "M" in flags,
        "name": sobject.name,
        "queryable": "q" in flags,
        "replicateable": "R" in flags,
        "retrieveable": "r" in flags,
        "searchable": "s" in flags,
        "triggerable": "t" in flags,
        "undeletable": "n" in flags,
        "updateable": "u" in flags,
        "urls": {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base},
    }


def children_of(schema: Schema, sobject: SObject) -> list[dict[str, Any]]:
    """Child relationships: those of the tables, and one for each other reference to the object."""
    named = {(child.sobject, child.field): child for child in sobject.children}
    found = []
    for other in schema.objects.values():
        for field in other.fields.values():
            if sobject.name not in field.refers_to:
                continue
            child = named.get((other.name, field.name))
            custom = field.is_custom and field.relationship
            name = child.name if child else f"{other.plural.replace(' ', '_')}__r" if custom else None
            found.append(
                {
                    "cascadeDelete": bool(child and child.cascades),
                    "childSObject": other.name,
                    "deprecatedAndHidden": False,
                    "field": field.name,
                    "junctionIdListNames": [],
                    "junctionReferenceTo": [],
                    "relationshipName": name,
                    "restrictedDelete": bool(child and child.restricts),
                }
            )
    return found


def describe(
    schema: Schema, sobject: SObject, version: str, base_url: str, record_types: list[dict[str, Any]]
) -> dict[str, Any]:
    """The answer of ``sobjects/X/describe`` (describe/Account.json)."""
    entry = global_entry(sobject, version)
    keys = ("activateable", "associateEntityType", "associateParentEntity")
    answer: dict[str, Any] = {"actionOverrides": [], **{key: entry[key] for key in keys}}
    answer["childRelationships"] = children_of(schema, sobject)
    answer |= {"compactLayoutable": "l" in sobject.flags}
    answer |= {key: entry[key] for key in ("createable", "custom", "customSetting", "deepCloneable")}
    answer |= {"defaultImplementation": None, "deletable": entry["deletable"], "deprecatedAndHidden": False}
    answer |= {"extendedBy": None, "extendsInterfaces": None, "feedEnabled": entry["feedEnabled"]}
    answer["fields"] = [field_describe(field) for field in sobject.fields.values()]
    answer |= {"hasSubtypes": False, "implementedBy": None, "implementsInterfaces": None}
    answer |= {key: entry[key] for key in ("isInterface", "isSubtype", "keyPrefix", "label", "labelPlural")}
    answer |= {"layoutable": entry["layoutable"], "listviewable": None, "lookupLayoutable": None}
    answer |= {key: entry[key] for key in ("mergeable", "mruEnabled", "name")}
    answer |= {"namedLayoutInfos": [], "networkScopeFieldName": None, "queryable": entry["queryable"]}
    answer["recordTypeInfos"] = _record_type_infos(sobject.name, version, record_types)
    answer |= {key: entry[key] for key in ("replicateable", "retrieveable")}
    answer |= {"searchLayoutable": "l" in sobject.flags, "searchable": entry["searchable"]}
    answer |= {"sobjectDescribeOption": "FULL", "supportedScopes": _scopes(sobject)}
    answer |= {key: entry[key] for key in ("triggerable", "undeletable", "updateable")}
    answer["urls"] = _urls(sobject, version, base_url)
    return answer


def _scopes(sobject: SObject) -> list[dict[str, str]]:
    plural = sobject.plural.lower()
    scopes = [{"label": f"All {plural}", "name": "everything"}]
    return [*scopes, {"label": f"My {plural}", "name": "mine"}] if "OwnerId" in sobject.fields else scopes


def _record_type_infos(name: str, version: str, record_types: list[dict[str, Any]]) -> list[dict[str, Any]]:
    master = {"Id": "012000000000000AAA", "Name": "Master", "DeveloperName": "Master"}
    return [
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": row is master,
            "developerName": row["DeveloperName"],
            "master": row is master,
            "name": row["Name"],
            "recordTypeId": row["Id"],
            "urls": {"layout": f"/services/data/v{version}/sobjects/{name}/describe/layouts/{row['Id']}"},
        }
        for row in [*record_types, master]
    ]


def _urls(sobject: SObject, version: str, base_url: str) -> dict[str, str]:
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "compactLayouts": f"{base}/describe/compactLayouts",
        "rowTemplate": f"{base}/{{ID}}",
        "approvalLayouts": f"{base}/describe/approvalLayouts",
        "uiDetailTemplate": f"{base_url}/{{ID}}",
        "uiEditTemplate": f"{base_url}/{{ID}}/e",
        "listviews": f"{base}/listviews",
        "describe": f"{base}/describe",
        "uiNewRecord": f"{base_url}/{sobject.prefix}/e",
        "quickActions": f"{base}/quickActions",
        "layouts": f"{base}/describe/layouts",
        "sobject": base,
    }
