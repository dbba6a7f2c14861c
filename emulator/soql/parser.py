"""From tokens to a tree, by recursive descent; refuses what Salesforce calls MALFORMED_QUERY."""

from emulator.soql.errors import SoqlError, unexpected
from emulator.soql.lexer import Token, tokenize
from emulator.soql.tree import (
    Among,
    Branch,
    Call,
    Compare,
    Condition,
    Joined,
    Literal,
    Not,
    Order,
    Path,
    Query,
    Selected,
    TypeOf,
)

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_COMPARISONS = frozenset({"=", "!=", "<>", "<", ">", "<=", ">=", "LIKE"})
_CLAUSES = frozenset({"FROM", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "ALL",
                      "UPDATE"})  # fmt: skip
_LITERALS = frozenset({"text", "number", "date", "moment"})


def parse(text: str) -> Query:
    """The tree of a query; raises SoqlError."""
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.at = 0

    # -- tokens -----------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def refuse(self) -> SoqlError:
        return unexpected(self.text, self.token.position, self.token.text)

    def take(self, *words: str) -> bool:
        """Eat these words, if they come next."""
        if all(self.tokens[min(self.at + i, len(self.tokens) - 1)].word == word for i, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                raise self.refuse()

    def end(self) -> None:
        if self.token.kind != "end":
            raise self.refuse()

    def name(self) -> str:
        if self.token.kind != "name":
            raise self.refuse()
        return self.next().text

    # -- clauses ----------------------------------------------------------------------------------------------

    def query(self) -> Query:
        query = Query()
        self.expect("SELECT")
        query.selected.append(self.selected())
        while self.take(","):
            query.selected.append(self.selected())
        self.expect("FROM")
        self.source(query)
        if self.take("USING"):
            self.expect("SCOPE")
            query.scope = self.name()
        if self.take("WHERE"):
            query.where = self.condition()
        self.with_clause()
        if self.take("GROUP", "BY"):
            self.grouping(query)
        if self.take("HAVING"):
            query.having = self.condition()
        if self.take("ORDER", "BY"):
            query.order_by.append(self.order())
            while self.take(","):
                query.order_by.append(self.order())
        if self.take("LIMIT"):
            query.limit = self.count()
        if self.take("OFFSET"):
            query.offset = self.count() if self.token.kind != "end" else 0
        self.trailer()
        return query

    def source(self, query: Query) -> None:
        is_object = self.token.word in {"GROUP", "ORDER"} and self.tokens[self.at + 1].word != "BY"
        if self.token.word in _CLAUSES and not is_object:
            raise self.refuse()
        query.sobject = self.path()
        if self.take("AS") or (self.token.kind == "name" and self.token.word not in _CLAUSES):
            query.alias = self.name()

    def with_clause(self) -> None:
        if not self.take("WITH"):
            return
        if self.token.word in {"SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"}:
            self.next()
            return
        self.expect("DATA", "CATEGORY")
        while True:
            self.name()
            if self.token.word not in {"AT", "ABOVE", "BELOW", "ABOVE_OR_BELOW"}:
                raise self.refuse()
            self.next()
            self.category()
            if not self.take("AND"):
                return

    def category(self) -> None:
        if not self.take("("):
            self.name()
            return
        self.name()
        while self.take(","):
            self.name()
        self.expect(")")

    def grouping(self, query: Query) -> None:
        if self.token.word in {"ROLLUP", "CUBE"} and self.tokens[self.at + 1].word == "(":
            query.rollup = True
            self.next()
            self.expect("(")
        query.group_by.append(self.operand())
        while self.take(","):
            query.group_by.append(self.operand())
        if query.rollup:
            self.expect(")")

    def trailer(self) -> None:
        if self.take("ALL"):
            self.expect("ROWS")
        if self.take("FOR"):
            if self.token.word not in {"VIEW", "REFERENCE", "UPDATE"}:
                raise self.refuse()
            self.next()
        if self.take("UPDATE"):
            self.name()

    def count(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            raise self.refuse()
        return int(self.next().text)

    def order(self) -> Order:
        what = self.operand()
        descending = not self.take("ASC") and self.take("DESC")
        nulls: bool | None = None
        if self.take("NULLS"):
            nulls = self.take("LAST")
            if not nulls:
                self.expect("FIRST")
        return Order(what, descending, nulls)

    # -- what is selected -------------------------------------------------------------------------------------

    def selected(self) -> Selected | TypeOf | Query:
        if self.take("("):
            query = self.query()
            self.expect(")")
            return query
        if self.token.word == "TYPEOF" and self.tokens[self.at + 1].kind == "name":
            return self.type_of()
        if self.token.word in _CLAUSES and self.tokens[self.at + 1].word not in {",", "FROM", "."}:
            raise self.refuse()
        what = self.operand()
        alias = self.name() if self.token.kind == "name" and self.token.word not in _CLAUSES else ""
        return Selected(what, alias)

    def type_of(self) -> TypeOf:
        self.expect("TYPEOF")
        relation = self.path()
        branches = []
        while self.take("WHEN"):
            kind = self.name()
            self.expect("THEN")
            branches.append(Branch(kind, self.paths()))
        if self.take("ELSE"):
            branches.append(Branch("", self.paths()))
        self.expect("END")
        return TypeOf(relation, tuple(branches))

    def paths(self) -> tuple[Path, ...]:
        found = [self.path()]
        while self.take(","):
            found.append(self.path())
        return tuple(found)

    def path(self) -> Path:
        position = self.token.position
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return Path(tuple(parts), position)

    def operand(self) -> Path | Call:
        """A path or a function; literals are arguments only of DISTANCE."""
        path = self.path()
        if len(path.parts) > 1 or not self.take("("):
            return path
        name = path.parts[0].upper()
        if name == "DISTANCE":
            return self.distance(path.position)
        if name == "GEOLOCATION":
            raise unexpected(self.text, path.position, path.parts[0])
        arguments: list[Path | Call] = []
        if self.token.word != ")":
            arguments.append(self.operand())
            while self.take(","):
                arguments.append(self.operand())
        self.expect(")")
        return Call(name, tuple(arguments), path.position)

    def distance(self, position: int) -> Call:
        field = self.path()
        self.expect(",")
        self.expect("GEOLOCATION", "(")
        for separator in (",", ")"):
            if self.token.kind != "number":
                raise self.refuse()
            self.next()
            self.expect(separator)
        self.expect(",")
        if self.token.text not in {"'mi'", "'km'"}:
            raise self.refuse()
        self.next()
        self.expect(")")
        return Call("DISTANCE", (field,), position)

    # -- conditions -------------------------------------------------------------------------------------------

    def condition(self) -> Condition:
        """Terms with AND or OR between them, never both without parentheses."""
        terms = [self.term()]
        operator = self.token.word if self.token.word in {"AND", "OR"} else ""
        while operator and self.take(operator):
            terms.append(self.term())
        if operator and self.token.word in {"AND", "OR"}:
            raise self.refuse()
        return Joined(operator, tuple(terms)) if len(terms) > 1 else terms[0]

    def term(self) -> Condition:
        if self.take("NOT"):
            return Not(self.term())
        if self.take("("):
            inner = self.condition()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        left = self.operand()
        word = self.token.word
        if word in _COMPARISONS:
            self.next()
            return Compare(left, "!=" if word == "<>" else word, self.literal())
        if word == "NOT":
            self.next()
            self.expect("IN")
            return self.among(left, "NOT IN")
        if word in {"IN", "INCLUDES", "EXCLUDES"}:
            self.next()
            return self.among(left, word)
        raise self.refuse()

    def among(self, left: Path | Call, operator: str) -> Among:
        self.expect("(")
        if self.token.word == "SELECT":
            query = self.query()
            self.expect(")")
            return Among(left, operator, query=query)
        values = [self.literal()]
        while self.take(","):
            values.append(self.literal())
        self.expect(")")
        return Among(left, operator, tuple(values))

    def literal(self) -> Literal:
        token = self.token
        if token.kind in _LITERALS:
            self.next()
            return Literal(token.kind, token.text, token.position)
        if token.kind != "name":
            raise self.refuse()
        self.next()
        word = token.word
        if word in {"TRUE", "FALSE", "NULL"}:
            return Literal(word.lower(), token.text, token.position)
        if word[:3].isalpha() and word[3:].replace(".", "", 1).isdigit() and len(word) > 3:
            return Literal("number", word[3:], token.position)
        if self.take(":"):
            return Literal("period", f"{word}:{self.count()}", token.position)
        if word in _PERIODS:
            return Literal("period", word, token.position)
        raise unexpected(self.text, token.position, token.text)


_UNITS = ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
_PERIODS = frozenset(
    {"TODAY", "YESTERDAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"}
    | {f"{when}_{unit}" for when in ("LAST", "THIS", "NEXT") for unit in _UNITS}
)
