"""Marketers in front of profiles, objects and mappings, with the emulator as Salesforce."""

from tests.console.salesforce.conftest import _plain_static_files

__all__ = ["_plain_static_files"]
