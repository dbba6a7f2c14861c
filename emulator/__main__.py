"""``python -m emulator --port P --data DIR``."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from emulator.server import serve


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    server = serve(options.port, options.data)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"Emulator: http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
