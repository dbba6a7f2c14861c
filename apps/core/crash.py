"""Named points at which a process ends itself, or stands still, so that tests can do so at the worst moments."""

import os
import signal

VARIABLE = "SYNCLINE_CRASH_AT"
"""``point`` or ``point=STOP``: where, and by which signal (KILL unless one is named). Unset in production."""


def point(name: str) -> None:
    """Do nothing, unless the environment names this point."""
    wanted, _, how = os.environ.get(VARIABLE, "").partition("=")
    if wanted == name:
        os.kill(os.getpid(), signal.Signals[f"SIG{how or 'KILL'}"])
