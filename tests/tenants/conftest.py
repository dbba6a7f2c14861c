"""People before and after they have an account."""

from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member"]
