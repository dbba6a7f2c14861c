"""A connection made by the real flow."""

from tests.integrations.conftest import connection, emulator, emulator_process, org, user

__all__ = ["connection", "emulator", "emulator_process", "org", "user"]
