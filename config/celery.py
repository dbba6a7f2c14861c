"""The Celery application: two queues, early acknowledgement, nothing kept in Redis but wake-up calls."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_ready
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("syncline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def _keep_good_connections(**_: Any) -> None:
    close_old_connections()


@worker_ready.connect
def _say_that_it_lives(sender: Any, **_: Any) -> None:
    # Imported here because settings are read only once a process is known to be a worker.
    from apps.core.heartbeat import start_heartbeat

    start_heartbeat(str(sender.hostname))
