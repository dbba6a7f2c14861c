"""docs/production.md, as written: roles, migrations, a backup and its restoration, on a server of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from config.runner.postgres import EmbeddedPostgres, embedded_postgres, find_binaries
from config.runner.process import unprivileged_account
from config.runner.roles import with_database
from tests.runner.tools import execute, passable_folder

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "production.md").read_text(encoding="utf-8")


def commands(containing: str) -> list[str]:
    """The commands of the block that holds this text, without those that only set an address."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    (block,) = [block for block in blocks if containing in block]
    return [line for line in block.splitlines() if not line.startswith("export ")]


def addresses(server: EmbeddedPostgres, database: str) -> dict[str, str]:
    """The environment that the document sets, for a database of this server."""
    return {
        "DATABASE_URL": with_database(server.login_url, database),
        "DATABASE_OWNER_URL": with_database(server.owner_url, database),
        "DATABASE_ADMIN_URL": server.superuser_url,
        "DATABASE_BACKUP_URL": with_database(server.superuser_url, database),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SYNCLINE_IGNORE_DOTENV": "1",
        "DEBUG": "1",
    }


def run(command: str, environment: Mapping[str, str], folder: Path = CHECKOUT) -> "subprocess.CompletedProcess[str]":
    """One line of the document, by a shell."""
    tools = Path(find_binaries(unprivileged_account()).path("pg_dump")).parent
    path = f"{Path(sys.executable).parent}:{tools}:{os.environ['PATH']}"
    whole = {**os.environ, **environment, "PATH": path, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=whole, capture_output=True, text=True, check=False, timeout=180
    )


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with passable_folder() as place, embedded_postgres(place / "pg", durable=False) as running:
        yield running


@pytest.mark.slow
def test_database_is_made_backed_up_and_restored_as_written(server: EmbeddedPostgres, tmp_path: Path) -> None:
    first, second = addresses(server, "first"), addresses(server, "second")
    for command in commands("config.runner.roles"):
        done = run(command, first)
        assert done.returncode == 0, done.stderr
    execute(first["DATABASE_BACKUP_URL"], "INSERT INTO tenants_tenant (name, created_at) VALUES ('Kept', now())")

    (dump,) = commands("pg_dump")
    refused = run(dump.replace("DATABASE_BACKUP_URL", "DATABASE_OWNER_URL"), first, tmp_path)
    assert "row-level security" in refused.stderr, "the owner cannot dump what row-level security keeps"
    done = run(dump, first, tmp_path)
    assert done.returncode == 0, done.stderr

    assert run("python -m config.runner.roles", second).returncode == 0
    restore, check = commands("pg_restore")
    done = run(restore, second, tmp_path)
    assert done.returncode == 0, done.stderr
    assert run(check, second).returncode == 0
    assert execute(second["DATABASE_BACKUP_URL"], "SELECT name FROM tenants_tenant") == [("Kept",)]
    forced = "SELECT count(*) FROM pg_class WHERE relforcerowsecurity"
    assert execute(second["DATABASE_BACKUP_URL"], forced) == execute(first["DATABASE_BACKUP_URL"], forced)


def test_each_secret_is_drawn_as_written() -> None:
    key, encryption = [run(command, {}).stdout.strip() for command in commands("token_urlsafe")]
    assert len(key) >= 50
    assert re.fullmatch(r"k1:[A-Za-z0-9+/]{43}=", encryption)
