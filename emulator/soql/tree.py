"""The parts of a parsed query."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Path:
    """A field, maybe through relationships: ``Account.Owner.Name``."""

    parts: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of paths or calls: ``COUNT(Id)``, ``CALENDAR_YEAR(CreatedDate)``, ``FIELDS(ALL)``."""

    name: str
    arguments: tuple["Path | Call", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Selected:
    """One thing that is asked for."""

    what: "Path | Call"
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of TYPEOF; ``kind`` is empty for ELSE."""

    kind: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class TypeOf:
    """``TYPEOF What WHEN Account THEN Phone ELSE Name END``."""

    relation: Path
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written."""

    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Compare:
    """``left op value``, with op one of = != < > <= >= LIKE."""

    left: Path | Call
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Among:
    """``left IN / NOT IN / INCLUDES / EXCLUDES`` values or a subquery."""

    left: Path | Call
    operator: str
    values: tuple[Literal, ...] = ()
    query: "Query | None" = None


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions with AND or OR between them."""

    operator: str
    conditions: tuple["Condition", ...]


Condition = Compare | Among | Not | Joined


@dataclass(frozen=True, slots=True)
class Order:
    """One element of ORDER BY."""

    what: Path | Call
    descending: bool = False
    nulls_last: bool | None = None


@dataclass(slots=True)
class Query:
    """A whole query."""

    sobject: Path = field(default_factory=lambda: Path((), 0))
    alias: str = ""
    selected: list["Selected | TypeOf | Query"] = field(default_factory=list)
    where: Condition | None = None
    group_by: list[Path | Call] = field(default_factory=list)
    rollup: bool = False
    having: Condition | None = None
    order_by: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int | None = None
    scope: str = ""
