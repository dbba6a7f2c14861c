"""``python -m tests.faults.renewing TENANT CONNECTION THREADS``: threads that see one expiry together.

Each says ``ready`` by a line, waits for a line from outside, renews, and prints the token it got, hashed.
"""

import hashlib
import sys
import threading

import django

django.setup()

from apps.integrations.tokens import ConnectionTokens  # noqa: E402  # Django is set up above


def main() -> None:
    """Renew in all threads at once."""
    tenant_id, connection_id, count = map(int, sys.argv[1:4])
    go = threading.Event()
    got: list[str] = []

    def work() -> None:
        source = ConnectionTokens(tenant_id, connection_id)
        stale = source.access_token()
        ready.release()
        go.wait()
        got.append(source.renew(stale))

    ready = threading.Semaphore(0)
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for _ in threads:
        ready.acquire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    go.set()
    for thread in threads:
        thread.join(60)
    hashed = sorted(hashlib.sha256(token.encode()).hexdigest() for token in got)
    sys.stdout.write(f"{len(got)} {' '.join(dict.fromkeys(hashed))}\n")


if __name__ == "__main__":
    main()
