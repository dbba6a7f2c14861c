"""Members in front of their notices."""

from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member"]
