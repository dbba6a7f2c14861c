"""The filter builder: a filter as a form, and a posted form as a filter, with each mistake beside its row.

A page shows ``components/filter-builder.html`` inside its own form. "Add rule", "Add group" and "Remove" send that
form; the view asks ``is_asking`` and shows the page again without saving. So it works without JavaScript; with it
only the builder is exchanged.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from apps.console.filter_words import TIME_OPERATORS, TIMES, WITHIN, FilterField, operator_words
from apps.console.moving_dates import FIXED, MOVING_DATES, MovingDate, chosen_of, literal_of
from apps.domain.comparisons import (
    LONGEST_VALUE,
    MOST_RULES,
    MOST_VALUES,
    WITH_MANY,
    WITHOUT_VALUE,
    operators_for,
    read_operand,
)
from apps.domain.filters import BadFilter, Filter, Group, Operator, Rule
from apps.domain.relative_dates import is_relative
from apps.domain.values import NUMERIC, FieldType

DEEPEST = 3
"""Groups within groups, the outermost counted."""
_ANY_TYPE = tuple(dict.fromkeys((*operators_for(FieldType.STRING), *TIME_OPERATORS)))
_PATH = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,4}")


class Posted(Protocol):
    """A posted form, as Django gives it."""

    def get(self, key: str, default: Any = None, /) -> Any: ...
    def getlist(self, key: str) -> list[Any]: ...
    def __iter__(self) -> Iterator[str]: ...


@dataclass
class Choice:
    """An option of a list."""

    value: str
    label: str
    is_chosen: bool


@dataclass
class RuleRow:
    """One comparison as the form shows it; what was typed stays as it was typed."""

    path: str
    chosen: FilterField | None = None
    field_name: str = ""
    operator: str = ""
    values: list[str] = field(default_factory=list)
    moving: str = ""
    count: str = ""
    error: str = ""

    is_group = False

    @property
    def title(self) -> str:
        return f"Rule {_counted(self.path)}"

    @property
    def operators(self) -> list[Choice]:
        """The comparisons that fit the chosen field; before one is chosen, all."""
        kind = self.chosen.type if self.chosen else FieldType.STRING
        offered = self.chosen.operators if self.chosen else _ANY_TYPE
        moves = self.chosen is not None and self.chosen.moves
        return [Choice(one, operator_words(one, kind, moves=moves), one == self.operator) for one in offered]

    @property
    def widget(self) -> str:
        """What kind of field the value has: none, select, boxes, lines, moving, date, datetime-local, number or
        text."""
        if self.operator in WITHOUT_VALUE:
            return "none"
        many = self.operator in WITH_MANY
        if self.chosen and self.chosen.options and self.operator in {Operator.EQUALS, Operator.NOT_EQUALS, ""}:
            return "select"
        if self.chosen and self.chosen.options and many:
            return "boxes"
        if many or len(self.values) > 1:
            return "lines"
        if self.chosen and self.chosen.type in TIMES and self.chosen.moves:
            return "moving"
        if self.chosen and self.chosen.type in TIMES and not any(map(is_relative, self.values)):
            return self.day_widget
        return "number" if self.chosen and self.chosen.type in NUMERIC else "text"

    @property
    def choices(self) -> list[Choice]:
        """The values to choose from; one that is chosen and no longer offered stays, as it is."""
        offered = dict(self.chosen.options) if self.chosen else {}
        offered |= {value: value for value in self.values if value and value not in offered}
        return [Choice(value, label, value in self.values) for value, label in offered.items()]

    @property
    def day_widget(self) -> str:
        """The field of a day or moment that stays."""
        return "date" if self.chosen and self.chosen.type is FieldType.DATE else "datetime-local"

    @property
    def moving_choice(self) -> str:
        """The date that is chosen: one that moves, or a fixed one. A moment is first asked for by days."""
        if self.moving or self.values:
            return self.moving or FIXED
        is_span = self.operator in WITHIN and self.chosen is not None and self.chosen.type is FieldType.DATETIME
        return "LAST_N_DAYS" if is_span else FIXED

    @property
    def moving_choices(self) -> dict[str, list[MovingDate]]:
        """The dates that move, by their unit."""
        found: dict[str, list[MovingDate]] = {}
        for one in MOVING_DATES.values():
            found.setdefault(f"{one.unit.title()}s", []).append(one)
        return found

    @property
    def value(self) -> str:
        """The value as its field shows it."""
        text = "\n".join(self.values)
        is_moment = self.widget in {"datetime-local", "moving"} and self.day_widget == "datetime-local"
        return text[:19] if is_moment else text

    def read(self) -> Rule | None:
        """The rule; None where no field is chosen. A mistake is noted in words."""
        if not self.field_name and not any(value.strip() for value in self.values):
            return None
        try:
            return self._rule()
        except BadFilter as mistake:
            self.error = str(mistake)
            return None

    def _rule(self) -> Rule:
        if self.chosen is None:
            raise BadFilter(
                "Choose a field." if not self.field_name else "This field is not there any more. Choose another."
            )
        if self.operator not in self.chosen.operators:
            words = ", ".join(one.label for one in self.operators)
            raise BadFilter(f"Choose how to compare “{self.chosen.label}”: {words}.")
        if self.operator in WITHOUT_VALUE:
            return Rule(self.chosen.name, self.chosen.type, Operator(self.operator))
        if self.widget == "moving" and self.moving:
            literal = literal_of(self.moving, self.count)
            return Rule(self.chosen.name, self.chosen.type, Operator(self.operator), (literal,))
        if self.operator not in operators_for(self.chosen.type) and not any(map(is_relative, self.values)):
            raise BadFilter(
                f"“{self.chosen.label}” holds moments. Choose days that move, or compare with before or after."
            )
        typed = [value for value in self.values if value.strip()]
        if len(typed) > MOST_VALUES:
            raise BadFilter(f"These are too many values: at most {MOST_VALUES}.")
        values = tuple(
            dict.fromkeys(read_operand(self.chosen.type, value, moves=self.chosen.moves) for value in typed or [""])
        )
        return Rule(self.chosen.name, self.chosen.type, Operator(self.operator), values)


@dataclass
class GroupRow:
    """A group as the form shows it."""

    path: str
    all_of: bool = True
    parts: list["RuleRow | GroupRow"] = field(default_factory=list)

    is_group = True

    @property
    def title(self) -> str:
        return f"Group {_counted(self.path)}" if self.path else "Filter"

    @property
    def depth(self) -> int:
        return 1 + (self.path.count(".") + 1 if self.path else 0)

    @property
    def may_nest(self) -> bool:
        return self.depth < DEEPEST

    def read(self) -> Group:
        parts = [part.read() for part in self.parts]
        kept = [part for part in parts if part is not None and not (isinstance(part, Group) and not part.parts)]
        return Group(tuple(kept), self.all_of)

    def rows(self) -> Iterator[RuleRow]:
        for part in self.parts:
            if isinstance(part, GroupRow):
                yield from part.rows()
            else:
                yield part


class FilterForm:
    """A filter that somebody edits. ``prefix`` is a plain word and tells the filters of one page apart."""

    def __init__(self, fields: Iterable[FilterField], tree: Filter | None = None, *, prefix: str = "filter") -> None:
        self.prefix = prefix
        self.fields: dict[str, FilterField] = {one.name: one for one in fields if operators_for(one.type)}
        self.root = GroupRow("", True)
        self.is_asking = False
        self.focus = ""
        self.error = ""
        self._fill(self.root, tree if isinstance(tree, Group) or tree is None else Group((tree,)))
        self._spare()

    @classmethod
    def posted(cls, fields: Iterable[FilterField], data: Posted, *, prefix: str = "filter") -> "FilterForm":
        """What was sent, with the button of the builder carried out that was pressed."""
        form = cls(fields, prefix=prefix)
        form.root = form._read(data)
        asked = str(data.get(f"{prefix}.do") or "")
        form.is_asking = bool(asked)
        form._carry_out(asked)
        form._spare()
        return form

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for yet."""
        return not any(row.field_name for row in self.root.rows())

    def is_valid(self) -> bool:
        """Whether every row can be asked; notes each mistake beside its row."""
        rows = list(self.root.rows())
        if len(rows) > MOST_RULES:
            self.error = f"A filter has at most {MOST_RULES} rules."
        for row in rows:
            row.error = ""
            row.read()
        return not self.error and not any(row.error for row in rows)

    @property
    def tree(self) -> Filter | None:
        """The filter; None where there is none. Ask ``is_valid`` first."""
        group = self.root.read()
        return group if group.parts else None

    # -- from a filter ------------------------------------------------------------------------------------------

    def _fill(self, target: GroupRow, group: Group | None) -> None:
        if group is None:
            return
        target.all_of = group.all_of
        for number, part in enumerate(group.parts):
            path = _below(target.path, number)
            if isinstance(part, Group):
                inner = GroupRow(path)
                target.parts.append(inner)
                self._fill(inner, part)
            else:
                assert isinstance(part, Rule)
                target.parts.append(self._row_of(path, part))

    def _row_of(self, path: str, rule: Rule) -> RuleRow:
        row = RuleRow(path, self.fields.get(rule.field), rule.field, rule.operator, list(rule.values))
        if row.widget == "moving" and any(map(is_relative, row.values)):
            row.moving, row.count = chosen_of(row.values.pop())
        return row

    # -- from a posted form -------------------------------------------------------------------------------------

    def _read(self, data: Posted) -> GroupRow:
        paths: dict[str, set[str]] = {}
        for key in data:
            start, _, name = key.rpartition(".")
            path = start.removeprefix(f"{self.prefix}.")
            if name in {"field", "match"} and path != start and _PATH.fullmatch(path):
                paths.setdefault(path, set()).add(name)
        root = GroupRow("", data.get(f"{self.prefix}.match") != "any")
        groups = {"": root}
        for path in sorted(paths, key=_order):
            parent = groups.get(path.rpartition(".")[0])
            if parent is None:
                continue
            name = f"{self.prefix}.{path}"
            if "match" in paths[path]:
                groups[path] = GroupRow(path, data.get(f"{name}.match") != "any")
                parent.parts.append(groups[path])
            elif "field" in paths[path]:
                parent.parts.append(self._read_rule(path, name, data))
        return root

    def _read_rule(self, path: str, name: str, data: Posted) -> RuleRow:
        wanted, operator = str(data.get(f"{name}.field")), str(data.get(f"{name}.operator") or "")
        typed = [str(value)[: (LONGEST_VALUE + 2) * MOST_VALUES] for value in data.getlist(f"{name}.value")]
        if operator in WITH_MANY:
            typed = [line.strip() for value in typed for line in value.splitlines()]
        row = RuleRow(path, self.fields.get(wanted), wanted, operator, [one for one in typed if one])
        moving = str(data.get(f"{name}.moving") or FIXED)[:LONGEST_VALUE]
        if moving != FIXED and row.widget == "moving":
            row.moving, row.count, row.values = moving, str(data.get(f"{name}.count") or "")[:LONGEST_VALUE], []
        return row

    # -- the builder's buttons ----------------------------------------------------------------------------------

    def _carry_out(self, asked: str) -> None:
        verb, _, path = asked.partition(":")
        if verb == "remove":
            self._remove(self.root, path)
        elif verb in {"rule", "group"}:
            target = self._group_at(path)
            if target is not None and (verb == "rule" or target.may_nest):
                self._add(target, verb)
        elif verb == "clear":
            self.root = GroupRow("")
        elif verb == "choose":
            self.focus = f"{path}.operator" if any(row.path == path for row in self.root.rows()) else ""

    def _add(self, target: GroupRow, verb: str) -> None:
        path = _below(target.path, 1 + max((int(part.path.rpartition(".")[2]) for part in target.parts), default=-1))
        if verb == "group":
            target.parts.append(GroupRow(path, not target.all_of, [RuleRow(f"{path}.0")]))
            path = f"{path}.0"
        else:
            target.parts.append(RuleRow(path))
        self.focus = f"{path}.field"

    def _remove(self, target: GroupRow, path: str) -> None:
        if any(part.path == path for part in target.parts):
            self.focus = f"{target.path}.add"
        target.parts = [part for part in target.parts if part.path != path]
        for part in target.parts:
            if isinstance(part, GroupRow):
                self._remove(part, path)

    def _group_at(self, path: str) -> GroupRow | None:
        waiting = [self.root]
        while waiting:
            group = waiting.pop()
            if group.path == path:
                return group
            waiting += [part for part in group.parts if isinstance(part, GroupRow)]
        return None

    def _spare(self) -> None:
        """An empty filter shows one empty row to begin with."""
        if not self.root.parts:
            self.root.parts.append(RuleRow("0"))


def _below(path: str, number: int) -> str:
    return f"{path}.{number}" if path else str(number)


def _counted(path: str) -> str:
    return ".".join(str(number + 1) for number in _order(path))


def _order(path: str) -> list[int]:
    return [int(part) for part in path.split(".")]
