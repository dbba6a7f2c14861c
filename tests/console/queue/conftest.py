"""Members in front of the queue."""

from tests.console.records.conftest import _plain_static_files, marketer, member, salesforce, viewer

__all__ = ["_plain_static_files", "marketer", "member", "salesforce", "viewer"]
