"""Becomes another program, in a session of its own, that does not outlive the process that started it.

Run as a script with the parent's process id, the signal to get when the parent dies, the account (user and group
id, or -1 to keep ours) and the command. A program of its own rather than ``preexec_fn``: that one is not safe
beside threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def become(parent: int, death_signal: int, user: int, group: int, command: list[str]) -> None:
    """Take session and account, ask for the death signal, and replace this process by ``command``."""
    os.setsid()
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if library is not None:
        library.prctl(PR_SET_PDEATHSIG, death_signal)  # after setuid, which clears it
    if os.getppid() != parent:  # the parent died before the request was made
        sys.exit(1)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)  # a shell's "&" and Python itself ignore some of them
    os.execv(command[0], command)


if __name__ == "__main__":
    PARENT, DEATH_SIGNAL, USER, GROUP = map(int, sys.argv[1:5])
    become(PARENT, DEATH_SIGNAL, USER, GROUP, sys.argv[5:])
