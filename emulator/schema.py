"""Which sObjects and fields an org has, read from the compact tables in ``tables/``.

A table begins with ``@Name|Label|Plural|KeyPrefix|flags``; then one field a line:
``Name|type|Label|size|flags|referenceTo|relationshipName|compoundFieldName|picklist values``. ``size`` is a length, or
``precision,scale``, or the digits of an int. Flags of fields: c createable, u updateable, n nillable, d defaulted on
create, x external id, q unique, i idLookup, r restricted picklist, N name field, k calculated, a auto number,
p permissionable, P polymorphic. A value is ``value`` or ``value:label``, with ``*`` in front of the default. A line
``>Name|Child|Field|flags`` is a child relationship (c cascade delete, r restricted delete). The facts in the tables
come from recorded describes (shared/salesforce/describe).
"""

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

_TABLES = Path(__file__).resolve().parent / "tables"
_AUDIT = (
    "CreatedDate|datetime|Created Date||d",
    "CreatedById|reference|Created By ID|18|d|User|CreatedBy",
    "LastModifiedDate|datetime|Last Modified Date||d",
    "LastModifiedById|reference|Last Modified By ID|18|d|User|LastModifiedBy",
    "SystemModstamp|datetime|System Modstamp||d",
)
_PACKAGE = {
    "Lead": "person", "Contact": "person", "Account": "company", "Task": "activity",
}  # fmt: skip
_PACKAGE_FIELDS = {
    "person": (
        "Syncline_Id__c|string|Syncline Id|64|cunxqip",
        "Syncline_Lead_Score__c|double|Syncline Lead Score|18,0|cunp",
        "Syncline_Most_Recent_Visit__c|datetime|Syncline Most Recent Visit||cunp",
        "Syncline_First_Touch_Channel__c|string|Syncline First Touch Channel|255|cunp",
        "Syncline_First_Touch_Source__c|string|Syncline First Touch Source|255|cunp",
        "Syncline_Last_Touch_Channel__c|string|Syncline Last Touch Channel|255|cunp",
        "Syncline_Last_Touch_Source__c|string|Syncline Last Touch Source|255|cunp",
        "Syncline_Link__c|string|View in Syncline|1300|nkp",
    ),
    "company": ("Syncline_Id__c|string|Syncline Id|64|cunxqip",),
    "activity": ("Syncline_Activity_Id__c|string|Syncline Activity Id|64|cunxqip",),
}
_CUSTOM_OBJECT = (
    "Id|id|Record ID|18|di",
    "OwnerId|reference|Owner ID|18|cudP|Group User|Owner",
    "IsDeleted|boolean|Deleted||d",
    "Name|string|{label} Name|80|cunidN",
    *_AUDIT,
)
_NUMBERS = frozenset({"currency", "double", "percent"})
_TEXTS = frozenset({"string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox",
                    "encryptedstring"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a picklist."""

    value: str
    label: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an sObject."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    flags: str = ""
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None
    compound: str | None = None
    values: tuple[Value, ...] = ()

    @property
    def is_createable(self) -> bool:
        return "c" in self.flags

    @property
    def is_updateable(self) -> bool:
        return "u" in self.flags

    @property
    def is_required(self) -> bool:
        """Must be sent on create: not nillable, createable, without default (facts.md, section 5)."""
        return self.is_createable and "n" not in self.flags and "d" not in self.flags and self.type != "boolean"

    @property
    def is_lookup_key(self) -> bool:
        return "i" in self.flags or "x" in self.flags

    @property
    def is_unique(self) -> bool:
        return "q" in self.flags

    @property
    def is_restricted(self) -> bool:
        return "r" in self.flags

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def is_number(self) -> bool:
        return self.type in _NUMBERS

    @property
    def is_text(self) -> bool:
        return self.type in _TEXTS

    @property
    def is_stored(self) -> bool:
        """Compound addresses are views of their parts."""
        return self.type not in {"address", "location"}

    @property
    def default(self) -> str | None:
        """The value of a new record that does not name this field."""
        if self.type == "boolean":
            return "false"
        return next((value.value for value in self.values if value.is_default), None)


@dataclass(frozen=True, slots=True)
class Child:
    """A child relationship, seen from the parent."""

    name: str
    sobject: str
    field: str
    cascades: bool = False
    restricts: bool = False


@dataclass(frozen=True, slots=True)
class SObject:
    """An sObject, its fields by name, and its children."""

    name: str
    label: str
    plural: str
    prefix: str
    flags: str
    fields: dict[str, Field]
    children: tuple[Child, ...] = ()
    lower: dict[str, Field] = field(default_factory=dict)

    def find(self, name: str) -> Field | None:
        """A field by its name in any case."""
        return self.lower.get(name.lower())

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def name_field(self) -> str | None:
        return next((f.name for f in self.fields.values() if "N" in f.flags), None)

    @property
    def is_soft_deleted(self) -> bool:
        """Whether deleted rows stay in the recycle bin."""
        return "IsDeleted" in self.fields

    def without(self, hidden: frozenset[str]) -> "SObject":
        """As a user sees it who may not see some fields."""
        return with_fields(self, [f for f in self.fields.values() if f"{self.name}.{f.name}" not in hidden])

    def protected(self, read_only: frozenset[str]) -> "SObject":
        """As a user sees it who may not write some fields."""
        if not any(path.startswith(f"{self.name}.") for path in read_only):
            return self
        return with_fields(self, [
            replace(f, flags=f.flags.replace("c", "").replace("u", "")) if f"{self.name}.{f.name}" in read_only else f
            for f in self.fields.values()
        ])  # fmt: skip


def with_fields(sobject: SObject, fields: list[Field]) -> SObject:
    """The object with other fields."""
    return replace(sobject, fields={f.name: f for f in fields}, lower={f.name.lower(): f for f in fields})


class Schema:
    """All objects of an org, as one user sees them."""

    def __init__(self, objects: dict[str, SObject]) -> None:
        self.objects = objects
        self._lower = {name.lower(): sobject for name, sobject in objects.items()}
        self._prefixes = {s.prefix: s for s in reversed(objects.values()) if s.prefix and s.prefix != "01J"}

    def find(self, name: str) -> SObject | None:
        """An object by its name in any case."""
        return self._lower.get(name.lower())

    def of_id(self, record_id: str) -> SObject | None:
        """The object whose key prefix an id has."""
        return self._prefixes.get(record_id[:3])

    def without(self, hidden: frozenset[str]) -> "Schema":
        """As seen by a user from whom ``Object`` or ``Object.Field`` are hidden."""
        return Schema({n: s.without(hidden) for n, s in self.objects.items() if n not in hidden}) if hidden else self

    def protected(self, read_only: frozenset[str]) -> "Schema":
        """As seen by a user who may not write some fields."""
        return Schema({n: s.protected(read_only) for n, s in self.objects.items()}) if read_only else self


def parse_field(line: str) -> Field:
    """One line of a table."""
    name, kind, label, size, flags, refers, relation, compound, values = (line.split("|") + [""] * 8)[:9]
    numbers = [int(part) for part in size.split(",") if part]
    plain = numbers[0] if len(numbers) == 1 else 0
    return Field(
        name=name,
        type=kind,
        label=label,
        length=plain if kind != "int" else 0,
        precision=numbers[0] if len(numbers) == 2 else 0,
        scale=numbers[1] if len(numbers) == 2 else 0,
        digits=plain if kind == "int" else 0,
        flags=flags,
        refers_to=tuple(refers.split()),
        relationship=relation or None,
        compound=compound or None,
        values=tuple(_value(part) for part in values.split(";") if part),
    )


def _value(text: str) -> Value:
    value, _, label = text.removeprefix("*").partition(":")
    return Value(value, label or value, text.startswith("*"))


def _read(path: Path) -> list[SObject]:
    objects: list[SObject] = []
    fields: list[Field] = []
    children: list[Child] = []
    head: list[str] = []

    def close() -> None:
        if head:
            built = SObject(head[0], head[1], head[2], head[3], head[4], {}, tuple(children))
            objects.append(with_fields(built, fields))

    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            close()
            head, fields, children = line[1:].split("|"), [], []
        elif line.startswith(">"):
            name, sobject, key, flags = line[1:].split("|")
            children.append(Child(name, sobject, key, "c" in flags, "r" in flags))
        elif line == "%audit":
            fields += [parse_field(row) for row in _AUDIT]
        else:
            fields.append(parse_field(line))
    close()
    return objects


@cache
def standard_objects() -> dict[str, SObject]:
    """The objects of every org, by name."""
    found = [o for path in sorted(_TABLES.glob("*.table")) if path.name != "PersonAccount.table" for o in _read(path)]
    return {o.name: o for o in sorted(found, key=lambda o: o.name)}


@cache
def _person_account_fields() -> tuple[Field, ...]:
    text = (_TABLES / "PersonAccount.table").read_text(encoding="utf-8")
    return tuple(parse_field(line) for line in text.splitlines())


def custom_field(facts: dict[str, Any]) -> Field:
    """A custom field as the control API describes it."""
    kind = str(facts.get("type", "string"))
    flags = "p" + "".join(
        letter
        for letter, key, default in (
            ("c", "createable", True), ("u", "updateable", True), ("n", "nillable", kind != "boolean"),
            ("x", "externalId", False), ("i", "externalId", False), ("q", "unique", False),
            ("r", "restricted", False), ("k", "calculated", False), ("d", "defaulted", kind == "boolean"),
        )
        if facts.get(key, default)
    )  # fmt: skip
    name = str(facts["name"])
    return Field(
        name=name,
        type=kind,
        label=str(facts.get("label") or name.removesuffix("__c").replace("_", " ")),
        length=int(facts.get("length") or (18 if kind == "reference" else 255 if kind in _TEXTS else 0)),
        precision=int(facts.get("precision") or (18 if kind in _NUMBERS else 0)),
        scale=int(facts.get("scale") or 0),
        digits=9 if kind == "int" else 0,
        flags=flags,
        refers_to=tuple(facts.get("referenceTo") or ()),
        relationship=facts.get("relationshipName") or (name[:-1] + "r" if kind == "reference" else None),
        values=tuple(Value(str(v), str(v)) for v in facts.get("values") or ()),
    )


def build_schema(options: dict[str, Any]) -> Schema:
    """The schema of an org: the standard objects and what its switches and custom parts add or take away."""
    objects = dict(standard_objects())
    extra: dict[str, list[Field]] = {}
    if options.get("package_fields", True):
        for name, group in _PACKAGE.items():
            extra.setdefault(name, []).extend(parse_field(line) for line in _PACKAGE_FIELDS[group])
    if options.get("person_accounts"):
        extra.setdefault("Account", []).extend(_person_account_fields())
        extra.setdefault("Contact", []).append(parse_field("IsPersonAccount|boolean|Is Person Account||d"))
    for number, facts in enumerate(options.get("custom_objects") or []):
        built = custom_object(facts, number)
        objects[built.name] = built
    for facts in options.get("custom_fields") or []:
        extra.setdefault(str(facts["sobject"]), []).append(custom_field(facts))
    if options.get("campaigns", True) is False:
        for name in ("Campaign", "CampaignMember", "CampaignMemberStatus"):
            objects.pop(name)
    for name, fields in extra.items():
        known = objects[name]
        objects[name] = with_fields(known, [*known.fields.values(), *fields])
    for path, facts in (options.get("field_changes") or {}).items():
        name, _, key = path.partition(".")
        known = objects[name]
        objects[name] = with_fields(known, [changed(f, facts) if f.name == key else f for f in known.fields.values()])
    return Schema({name: objects[name] for name in sorted(objects)})


def changed(known: Field, facts: dict[str, Any]) -> Field:
    """A field after an administrator altered it."""
    flags = known.flags
    for letter, key, negated in (("r", "restricted", False), ("q", "unique", False), ("n", "required", True)):
        if key in facts:
            flags = flags.replace(letter, "") + (letter if bool(facts[key]) != negated else "")
    values = tuple(Value(str(v), str(v)) for v in facts["values"]) if "values" in facts else known.values
    plain = {key: facts[key] for key in ("type", "label", "length", "precision", "scale") if key in facts}
    return replace(known, flags=flags, values=values, **plain)


def custom_object(facts: dict[str, Any], number: int) -> SObject:
    """A custom object as the control API describes it; its fields come as custom fields."""
    name = str(facts["name"])
    label = str(facts.get("label") or name.removesuffix("__c").replace("_", " "))
    fields = [parse_field(line.format(label=label)) for line in _CUSTOM_OBJECT]
    empty = SObject(name, label, str(facts.get("plural") or label + "s"), f"a{number:02d}", "cudnqrRstlM", {})
    return with_fields(empty, fields)
