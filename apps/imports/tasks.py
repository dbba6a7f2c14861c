"""Imports, run by a worker."""

from celery import shared_task

from apps.imports import drive
from apps.imports.services import ADVANCE_TASK


@shared_task(name=ADVANCE_TASK)
def advance(tenant_id: int, import_id: int) -> None:
    """Take in the next rows of an import."""
    drive.advance(tenant_id, import_id)


@shared_task(name="apps.imports.tasks.tick")
def tick() -> None:
    """Every ten seconds: call for the imports that are due, so that a lost message costs ten seconds."""
    drive.wake_due_imports()
