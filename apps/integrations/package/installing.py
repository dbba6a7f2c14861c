"""The job that installs the package: deploy, look until it has ended, grant field access, read the org anew."""

from dataclasses import asdict
from typing import Any

import structlog
from django.conf import settings

from apps.core.queue import wake
from apps.domain.failures import Category, Failure, NotPermitted, Transient
from apps.domain.ports import WriteOperation
from apps.integrations.gateways import open_gateway
from apps.integrations.jobs import Claim, claim_job, settle_failure, settle_job
from apps.integrations.models import Connection, ConnectionJob, JobKind, JobState, PackageInstall
from apps.integrations.package.source import read_package
from apps.integrations.services.connections import queue_job
from apps.salesforce.deployments import Deployment
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.soql import quoted
from apps.tenants.audit import audit
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

PERMISSION_SET = "Syncline"
_TESTS = ("SynclinePanelControllerTest",)
_LOOK_AGAIN = 2.0
_REFUSED = (
    "The sync user may not change the org: it needs “Modify Metadata Through Metadata API Functions”, and “Author "
    "Apex” for the panel. A System Administrator has both."
)
_CANCELLED = "The installation was cancelled. Nothing was changed in Salesforce."
_COMPONENTS = "Salesforce refused parts of the package, and so all of it: nothing was changed."
_ASSIGN = (
    "Assign the permission set “Syncline” to the sync user in Setup, Users, Permission Sets: without it Syncline does "
    "not see its own fields."
)


def queue_install(*, connection: Connection, user: User, with_panel: bool) -> ConnectionJob:
    """Queue an installation; one that is under way is answered instead."""
    job = queue_job(connection=connection, kind=JobKind.PACKAGE, user=user)
    _, is_new = PackageInstall.objects.get_or_create(
        job_id=job.pk, defaults={"connection": connection, "with_panel": with_panel}
    )
    if is_new:
        audit(actor=user, action="package_install_started", subject=f"Salesforce org {connection.org_id}")
    return job


def cancel_install(*, connection: Connection, user: User) -> None:
    """Ask the installation that is under way to stop; Salesforce may be done before it hears of it."""
    job = ConnectionJob.objects.filter(connection=connection, kind=JobKind.PACKAGE, finished_at__isnull=True).first()
    if job is not None and PackageInstall.objects.filter(job_id=job.pk, wants_cancel=False).update(wants_cancel=True):
        audit(actor=user, action="package_install_cancelled", subject=f"Salesforce org {connection.org_id}")
        wake("apps.integrations.tasks.install_package", job.tenant_id or 0, job.pk)


def install(tenant_id: int, job_id: int) -> None:
    """Do the next piece of an installation, if it is due and held by nobody."""
    claim = claim_job(tenant_id, job_id)
    if claim is None:
        return
    try:
        with open_gateway(tenant_id, claim.place.connection_id) as gateway:
            is_done = _advance(claim, gateway)
    except NotPermitted as failure:
        if failure.category is Category.INSUFFICIENT_ACCESS:
            failure = NotPermitted(failure.category, _REFUSED)
        settle_failure(claim, failure)
    except Failure as failure:
        log.warning("package_install_failed", job=job_id, category=failure.category)
        settle_failure(claim, failure)
    else:
        settle_job(claim, is_done=is_done, delay=0.0 if is_done else _LOOK_AGAIN)


def _advance(claim: Claim, gateway: SalesforceGateway) -> bool:
    """True when there is nothing more to do. Raises Failure where it cannot be done."""
    with tenant_transaction(claim.place.tenant_id):
        state = PackageInstall.objects.get(job_id=claim.job_id)
        version = Connection.objects.get(id=claim.place.connection_id).api_version
    if not state.deploy_id:
        if state.wants_cancel:
            raise Failure(Category.JOB_FAILED, _CANCELLED)
        _note(claim, "Sending the package to Salesforce", 0, 0)
        package = read_package(
            settings.SYNCLINE_PACKAGE, base_url=settings.SYNCLINE_BASE_URL, with_panel=state.with_panel
        )
        tests = _TESTS if state.with_panel else ()
        deploy_id = gateway.deployments.create(package.zipped(version), tests=tests)
        _store(claim, deploy_id=deploy_id, status="Pending")
        return False
    if state.wants_cancel and not state.is_cancelling:
        gateway.deployments.cancel(state.deploy_id)
        _store(claim, is_cancelling=True)
    found = gateway.deployments.look(state.deploy_id)
    _store(claim, status=found.status, failures=[asdict(one) for one in found.failures])
    if not found.has_ended:
        _note(claim, _words(found), found.done, found.total)
        return False
    if not found.is_success:
        raise Failure(Category.JOB_FAILED, _why(found))
    _note(claim, "Giving the sync user access to the fields", found.total, found.total)
    _store(claim, by_hand=_grant(gateway, claim))
    with tenant_transaction(claim.place.tenant_id):
        # The describes of before do not know the fields, and the checks asked about them.
        queue_job(connection=Connection.objects.get(id=claim.place.connection_id), kind=JobKind.PREFLIGHT, user=None)
    return True


def _words(found: Deployment) -> str:
    if found.status == "Pending":
        return "Waiting in Salesforce's queue"
    if found.status == "Canceling":
        return "Stopping"
    return f"Salesforce installs: {found.done} of {found.total} components" if found.total else "Salesforce installs"


def _why(found: Deployment) -> str:
    if found.status == "Canceled":
        return _CANCELLED
    return _COMPONENTS if found.failures else f"Salesforce refused the package. {found.message}".strip()


def _grant(gateway: SalesforceGateway, claim: Claim) -> list[str]:
    """Assign the permission set to the sync user; answers what has to be done by hand."""
    with tenant_transaction(claim.place.tenant_id):
        user_id = Connection.objects.get(id=claim.place.connection_id).user_remote_id
    try:
        found = next(gateway.query(f"SELECT Id FROM PermissionSet WHERE Name = {quoted(PERMISSION_SET)}"), None)
        if found is None or not user_id:
            return [_ASSIGN]
        where = f"AssigneeId = {quoted(user_id)} AND PermissionSetId = {quoted(found['Id'])}"
        if next(gateway.query(f"SELECT Id FROM PermissionSetAssignment WHERE {where}"), None) is not None:
            return []
        row = {"AssigneeId": user_id, "PermissionSetId": found["Id"]}
        result = next(iter(gateway.write("PermissionSetAssignment", WriteOperation.CREATE, [row])))
    except Transient:
        raise
    except Failure as failure:
        return [f"{_ASSIGN} Salesforce said: {failure.message}"]
    return [] if result.is_success else [f"{_ASSIGN} Salesforce said: {result.failures[0].message}"]


def _store(claim: Claim, **values: Any) -> None:
    with tenant_transaction(claim.place.tenant_id):
        PackageInstall.objects.filter(job_id=claim.job_id).update(**values)


def _note(claim: Claim, words: str, done: int, total: int) -> None:
    with tenant_transaction(claim.place.tenant_id):
        ConnectionJob.objects.filter(id=claim.job_id, fence=claim.fence, state=JobState.RUNNING).update(
            step=words[:120], done_steps=done, total_steps=total or 1
        )
