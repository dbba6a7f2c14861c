"""PostgreSQL and Valkey of a copy: the ones that the environment names, else embedded ones."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from config.runner.postgres import EmbeddedPostgres
from config.runner.roles import ensure_roles
from config.runner.state import State
from config.runner.supervisor import Service, Supervisor
from config.runner.valkey import EmbeddedValkey


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services are."""

    login_url: str
    owner_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.login_url, "DATABASE_OWNER_URL": self.owner_url, "REDIS_URL": self.redis_url}


def start_services(supervisor: Supervisor, state: State, given: Mapping[str, str] = os.environ) -> Addresses:
    """Start what is not given, make roles and database, and say where everything is."""
    login_url = given.get("DATABASE_URL", "")
    owner_url = given.get("DATABASE_OWNER_URL", "") or login_url
    redis_url = given.get("REDIS_URL", "")
    starting = []
    postgres: EmbeddedPostgres | None = None
    if not login_url:
        postgres = EmbeddedPostgres(state.path("postgres"), durable=True)
        postgres.prepare()
        login_url, owner_url = postgres.login_url, postgres.owner_url
        starting.append(Service(postgres.program(), postgres.is_ready))
    if not redis_url:
        valkey = EmbeddedValkey(state.path("valkey"), durable=True)
        valkey.prepare()
        redis_url = valkey.url
        starting.append(Service(valkey.program(), valkey.is_ready))
    supervisor.start(*starting)
    if postgres is not None:
        postgres.create_database()
    else:
        ensure_roles(owner_url, login_url)
    return Addresses(login_url=login_url, owner_url=owner_url, redis_url=redis_url)
