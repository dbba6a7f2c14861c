"""The names under which the default app is known to the emulator."""

from emulator.grants import CLIENT_ID, CLIENT_SECRET

__all__ = ["CLIENT_ID", "CLIENT_SECRET"]
