"""The Celery application: two queues, early acknowledgement, nothing kept in Redis but wake-up calls."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("syncline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
