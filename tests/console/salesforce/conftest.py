"""Members of a tenant in front of the pages, with the emulator as Salesforce."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings

from apps.core.db import app_transaction
from apps.tenants.directory import enter
from apps.tenants.models import DirectoryKind, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.integrations.conftest import connection, emulator, emulator_process, org, user

__all__ = ["connection", "emulator", "emulator_process", "org", "user"]


@pytest.fixture(scope="session", autouse=True)
def _plain_static_files() -> Iterator[None]:
    """Static files straight from their folders, for the live server, too: nothing has been collected here."""
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STORAGES=storages, WHITENOISE_AUTOREFRESH=True, WHITENOISE_USE_FINDERS=True):
        yield


def join(tenant: Tenant, user: User, role: Role) -> None:
    """Make the user a member."""
    with tenant_transaction(tenant.pk):
        Membership.objects.create(user=user, role=role.value)
        enter(kind=DirectoryKind.MEMBER, key=str(user.pk))


@pytest.fixture
def member(tenant: Tenant) -> Callable[[Role], Client]:
    """A logged-in browser of a new member with a role."""

    def make(role: Role) -> Client:
        with app_transaction():
            person = User.objects.create_user(f"{role.value}@northwind.example", "correct horse battery")
        join(tenant, person, role)
        return logged_in(person)

    return make


def logged_in(person: User) -> Client:
    """A browser in which the person is logged in."""
    client = Client()
    with app_transaction():
        client.force_login(person)
    return client


@pytest.fixture
def owner(tenant: Tenant, user: User) -> Client:
    """The browser of the tenant's owner, who is also the one who connected."""
    join(tenant, user, Role.OWNER)
    return logged_in(user)
