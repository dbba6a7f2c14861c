"""``python -m tests.faults.crashing``: advances lanes in children that kill, or stop, themselves at a named point.

Each line from outside is one order: ``POINT TENANT RUN LANE`` (``-`` for no point) or ``continue``; the answer is what
became of the child: ``killed``, ``stopped``, or ``ended`` with its exit code.
"""

import os
import signal
import sys

import django

django.setup()

from apps.core import crash  # noqa: E402  # Django is set up above
from apps.sync.drive import advance  # noqa: E402


def _begin(place: str, tenant_id: int, run_id: int, lane: str) -> int:
    """A child that advances the lane; this process itself never opens a connection that a child could inherit."""
    child = os.fork()
    if child:
        return child
    os.environ[crash.VARIABLE] = place
    code = 1
    try:
        advance(tenant_id, run_id, lane)
        code = 0
    finally:
        os._exit(code)


def _fate(child: int) -> str:
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return "stopped"
    if os.WIFSIGNALED(status):
        return "killed"
    return f"ended {os.waitstatus_to_exitcode(status)}"


def main() -> None:
    """Carry out orders until there are no more."""
    child = 0
    for line in sys.stdin:
        words = line.split()
        if words == ["continue"]:
            os.kill(child, signal.SIGCONT)
        else:
            child = _begin(words[0], int(words[1]), int(words[2]), words[3])
        sys.stdout.write(_fate(child) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
