"""Members in front of lists, sequences and what people do."""

from tests.console.records.conftest import marketer, salesforce, viewer
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "marketer", "member", "salesforce", "viewer"]
