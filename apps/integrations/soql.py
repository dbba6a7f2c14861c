"""Queries for the engine, which does not speak to the gateway itself."""

from collections.abc import Sequence
from datetime import datetime

from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.values import FieldType, datetime_text
from apps.salesforce import soql


def select_text(sobject: str, fields: Sequence[str], where: Filter | None = None) -> str:
    """The SOQL of one sObject's rows."""
    return str(soql.Select(sobject, fields, where))


def window_text(
    sobject: str,
    fields: Sequence[str],
    *,
    since: datetime,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int | None,
) -> str:
    """The rows that changed in ``[since, until)``, by stamp and id; ``after`` names the last row that is known, and
    without ``until`` the window is open. Without ``limit`` they come in no order, as Bulk is asked."""
    return soql.window_text(sobject, fields, since=since, until=until, after=after, limit=limit)


def find_text(sobject: str, fields: Sequence[str], field: str, values: Sequence[str]) -> str:
    """The rows that hold one of these texts in a field; without a value it finds nothing."""
    return soql.find_text(sobject, fields, field, values)


def made_text(sobject: str, fields: Sequence[str], *, since: datetime, by: str, field: str, value: str) -> str:
    """The rows that a user has made since a moment and that hold a text in a field."""
    where = Group(
        (
            Rule("CreatedDate", FieldType.DATETIME, Operator.GREATER_OR_EQUAL, (datetime_text(since.isoformat()),)),
            Rule("CreatedById", FieldType.STRING, Operator.EQUALS, (by,)),
            Rule(field, FieldType.STRING, Operator.EQUALS, (value,)),
        )
    )
    return str(soql.Select(sobject, fields, where))
