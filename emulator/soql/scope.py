"""Names in a query: which table and column of SQLite a field path means."""

from dataclasses import dataclass, field

from emulator.schema import Field, Schema, SObject
from emulator.soql.errors import SoqlError, at
from emulator.soql.tree import Path
from emulator.store import column

_HINT = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(slots=True)
class Node:
    """The object at the end of a relationship path: several for a polymorphic one."""

    targets: list[tuple[str, SObject]]

    @property
    def entity(self) -> str:
        return self.targets[0][1].name if len(self.targets) == 1 else "Name"

    def find(self, name: str) -> tuple[str, Field] | None:
        """The SQL expression and the field of a name."""
        found = [(alias, known) for alias, sobject in self.targets if (known := sobject.find(name)) is not None]
        if not found:
            return None
        columns = [f"{alias}.{column(known.name)}" for alias, known in found if known.is_stored]
        text = columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})" if columns else ""
        return text, found[0][1]

    @property
    def id_text(self) -> str:
        columns = [f'{alias}."Id"' for alias, _ in self.targets]
        return columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})"

    @property
    def type_text(self) -> str:
        """The object's name; a CASE over the targets of a polymorphic relationship."""
        if len(self.targets) == 1:
            return f"'{self.targets[0][1].name}'"
        cases = " ".join(f"WHEN {alias}.\"Id\" IS NOT NULL THEN '{sobject.name}'" for alias, sobject in self.targets)
        return f"CASE {cases} END"


@dataclass(slots=True)
class Scope:
    """The names of one query: its object, and the relationships joined so far."""

    schema: Schema
    text: str
    sobject: SObject
    alias: str
    own_name: str = ""
    joins: list[str] = field(default_factory=list)
    nodes: dict[tuple[str, ...], Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes[()] = Node([(self.alias, self.sobject)])

    def strip(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Without the object's own name or alias in front."""
        if len(parts) < 2:
            return parts
        first = parts[0].lower()
        is_own = first == self.sobject.name.lower() or (self.own_name and first == self.own_name.lower())
        if is_own and self._relation(self.nodes[()], parts[0]) is None:
            return parts[1:]
        return parts

    def resolve(self, path: Path) -> tuple[tuple[str, ...], str, Field]:
        """Relationships in their own spelling, SQL expression and field; raises SoqlError."""
        parts = self.strip(path.parts)
        relations, node = self.node(parts[:-1], path.position)
        found = node.find(parts[-1])
        if found is None and parts[-1].lower() == "type" and len(node.targets) > 1:
            found = node.type_text, Field("Type", "string", "Type")
        if found is None:
            raise at(
                "INVALID_FIELD",
                self.text,
                path.position,
                f"No such column '{parts[-1]}' on entity '{node.entity}'. If you are attempting to use a custom field, "
                f"be sure to append the '__c' after the custom field name. {_HINT}",
            )
        return relations, found[0], found[1]

    def node(self, relations: tuple[str, ...], position: int) -> tuple[tuple[str, ...], Node]:
        """The node at the end of some relationships, joined if it is not yet."""
        spelled: tuple[str, ...] = ()
        node = self.nodes[()]
        for name in relations:
            found = self._relation(node, name)
            if found is None:
                raise self._no_relation(name, position)
            alias, key = found
            spelled = (*spelled, str(key.relationship))
            if spelled not in self.nodes:
                self.nodes[spelled] = self._join(alias, key)
            node = self.nodes[spelled]
        return spelled, node

    def _no_relation(self, name: str, position: int) -> SoqlError:
        return at(
            "INVALID_FIELD",
            self.text,
            position,
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            f"relationship, be sure to append the '__r' after the custom relationship name. {_HINT}",
        )

    def _relation(self, node: Node, name: str) -> tuple[str, Field] | None:
        for alias, sobject in node.targets:
            for known in sobject.fields.values():
                if known.relationship and known.relationship.lower() == name.lower() and self._targets(known):
                    return alias, known
        return None

    def _targets(self, key: Field) -> list[SObject]:
        return [self.schema.objects[name] for name in key.refers_to if name in self.schema.objects]

    def _join(self, alias: str, key: Field) -> Node:
        targets = []
        for target in self._targets(key):
            joined = f"{self.alias}{len(self.joins) + 1}"
            self.joins.append(
                f' LEFT JOIN {column(target.name)} {joined} ON {joined}."Id" = {alias}.{column(key.name)}'
            )
            targets.append((joined, target))
        return Node(targets)
