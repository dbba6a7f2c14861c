"""``python -m tests.privacy.driver TENANT JOB``: walks until nothing is left of a person; made to be killed."""

import sys
import time
from datetime import timedelta

import django

django.setup()

from apps.sync import erasing_walk  # noqa: E402  # Django is set up above
from apps.sync.models import ErasureJob  # noqa: E402
from apps.tenants.scope import tenant_transaction  # noqa: E402


def main() -> None:
    """One row at a time and a lease of a second, so that there are many moments to be killed at."""
    erasing_walk._LEASE, erasing_walk._ROWS = timedelta(seconds=1), 1
    tenant_id, job_id = int(sys.argv[1]), int(sys.argv[2])
    while True:
        with tenant_transaction(tenant_id):
            if not ErasureJob.objects.filter(id=job_id).exists():
                return
        erasing_walk.advance_erasure(tenant_id, job_id)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
