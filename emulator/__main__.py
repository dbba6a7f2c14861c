"""``python -m emulator --port P --data DIR``."""

import argparse
import ctypes
import os
import resource
import signal
import sys
import threading
from pathlib import Path

from emulator.server import serve

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    """On Linux the kernel ends this process when its parent is gone."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)


def _allow_many_files() -> None:
    """Each org is a database file or more, which stays open: take as many as this account may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone (Linux)")
    options = parser.parse_args()
    if options.parent:
        _die_with(options.parent)
    _allow_many_files()
    server = serve(options.port, options.data, options.host)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"Emulator: http://{options.host}:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    server.world.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
