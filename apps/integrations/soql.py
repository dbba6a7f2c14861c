"""Queries for the engine, which does not speak to the gateway itself."""

from collections.abc import Sequence

from apps.domain.filters import Filter
from apps.salesforce.soql import Select


def select_text(sobject: str, fields: Sequence[str], where: Filter | None = None) -> str:
    """The SOQL of one sObject's rows."""
    return str(Select(sobject, fields, where))
