"""``python -m tests.imports.driver TENANT IMPORT``: advances an import until it is over; made to be killed."""

import sys
import time
from datetime import timedelta

import django

django.setup()

from apps.imports import drive  # noqa: E402  # Django is set up above
from apps.imports.models import Import  # noqa: E402
from apps.tenants.scope import tenant_transaction  # noqa: E402


def main() -> None:
    """Small chunks and a lease of a second, so that there are many moments to be killed at."""
    drive.LEASE, drive.ROWS = timedelta(seconds=1), 50
    tenant_id, import_id = int(sys.argv[1]), int(sys.argv[2])
    while True:
        with tenant_transaction(tenant_id):
            if not Import.objects.get(id=import_id).is_open:
                return
        drive.advance(tenant_id, import_id)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
