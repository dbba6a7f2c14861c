"""``python -m tests.sync.driver TENANT RUN [calm]``: advances the lanes of a run until it is over; made to be killed.

Pages are small, so that there are many; calm, one lane applies them as wholes.
"""

import sys
import threading
import time
from datetime import timedelta

import django

django.setup()

from apps.sync import lanes  # noqa: E402  # Django is set up above
from apps.sync.drive import advance  # noqa: E402
from apps.sync.models import SyncRun  # noqa: E402
from apps.sync.pull import fetch, pieces  # noqa: E402
from apps.tenants.scope import tenant_transaction  # noqa: E402


def _lane(tenant_id: int, run_id: int, name: str) -> None:
    while True:
        with tenant_transaction(tenant_id):
            if not SyncRun.objects.get(id=run_id).is_open:
                return
        advance(tenant_id, run_id, name)
        time.sleep(0.01)


def main() -> None:
    """A lease of a second instead of thirty, so that killing twenty times does not take ten minutes."""
    lanes.LEASE = timedelta(seconds=1)
    fetch.PAGE_ROWS, pieces.LARGE = 2_500, 500
    tenant_id, run_id = int(sys.argv[1]), int(sys.argv[2])
    names = ["fetch", "apply", "assist"]
    if "calm" in sys.argv:
        pieces.LARGE = 1_000_000
        names.remove("assist")
    threads = [threading.Thread(target=_lane, args=(tenant_id, run_id, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
