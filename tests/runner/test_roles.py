"""The database's roles have the rights that the design gives them, and no others."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from config.runner.postgres import EmbeddedPostgres, embedded_postgres
from config.runner.process import RunnerError
from config.runner.roles import create_database, ensure_roles, login_of, with_database
from tests.runner.tools import execute, passable_folder


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with passable_folder() as place, embedded_postgres(place / "pg", durable=False) as running:
        execute(
            running.owner_url,
            "CREATE TABLE people (id int)",
            "GRANT SELECT ON people TO syncline_app",
            "INSERT INTO people VALUES (1)",
        )
        yield running


def test_no_role_of_ours_is_above_row_level_security(server: EmbeddedPostgres) -> None:
    rows = execute(
        server.superuser_url,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin, rolinherit FROM pg_roles "
        "WHERE rolname LIKE 'syncline%' ORDER BY rolname",
    )

    assert rows == [
        ("syncline_app", False, False, False, False, True),
        ("syncline_dispatcher", False, False, False, False, True),
        ("syncline_login", False, False, False, True, False),
        ("syncline_owner", False, False, False, True, True),
    ]


def test_login_has_no_rights_until_it_switches(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server.login_url, "SELECT id FROM people")
    assert execute(server.login_url, "SET LOCAL ROLE syncline_app", "SELECT id FROM people") == [(1,)]


@pytest.mark.parametrize("role", ["syncline_owner", "postgres"])
def test_login_cannot_become_more(server: EmbeddedPostgres, role: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server.login_url, f"SET ROLE {role}")


@pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "CREATE SCHEMA mine", "CREATE ROLE mine"])
@pytest.mark.parametrize("role", ["syncline_app", "syncline_dispatcher"])
def test_application_cannot_change_the_schema(server: EmbeddedPostgres, role: str, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server.login_url, f"SET LOCAL ROLE {role}", statement)


def test_preparing_again_changes_nothing(server: EmbeddedPostgres) -> None:
    memberships = "SELECT roleid, member, inherit_option, set_option FROM pg_auth_members ORDER BY 1, 2"
    before = execute(server.superuser_url, memberships)

    create_database(server.superuser_url, server.owner_url, server.login_url)
    ensure_roles(server.owner_url, server.login_url)

    assert execute(server.superuser_url, memberships) == before


def test_owner_that_may_create_roles_makes_what_is_missing(folder: Path) -> None:
    with embedded_postgres(folder / "pg", durable=False) as server:
        _bare_database(server, "CREATEROLE")
        owner_url, login_url = _urls(server)

        ensure_roles(owner_url, login_url)

        execute(owner_url, "CREATE TABLE t (id int)", "GRANT SELECT ON t TO syncline_app")
        assert execute(login_url, "SET LOCAL ROLE syncline_app", "SELECT count(*) FROM t") == [(0,)]


def test_owner_that_may_not_create_roles_is_told_the_statements(folder: Path) -> None:
    with embedded_postgres(folder / "pg", durable=False) as server:
        _bare_database(server, "NOCREATEROLE")
        owner_url, login_url = _urls(server)

        with pytest.raises(RunnerError, match="Run this once as an administrator") as refused:
            ensure_roles(owner_url, login_url)

        by_hand = str(refused.value).split("\n", 1)[1]
        execute(server.superuser_url, by_hand)
        ensure_roles(owner_url, login_url)
        assert execute(login_url, "SET LOCAL ROLE syncline_app", "SELECT 1") == [(1,)]


def _bare_database(server: EmbeddedPostgres, right: str) -> None:
    """A server as somebody else set it up: an owner and a database, nothing of ours."""
    execute(
        server.superuser_url,
        "DROP ROLE syncline_app, syncline_dispatcher",
        f"CREATE ROLE their_owner LOGIN PASSWORD 'one' {right}",
    )
    execute(with_database(server.superuser_url, "syncline"), "GRANT ALL ON SCHEMA public TO their_owner")


def _urls(server: EmbeddedPostgres) -> tuple[str, str]:
    at = f"@127.0.0.1:{server.port}/syncline"
    return f"postgresql://their_owner:one{at}", f"postgresql://their_login:two{at}"


@pytest.mark.parametrize(
    ("url", "name", "password", "database"),
    [
        ("postgresql://a:b@h:1/d", "a", "b", "d"),
        ("postgres://a%40x:p%2Fw@h/d", "a@x", "p/w", "d"),
        ("postgresql://a@h/", "a", "", "a"),
    ],
)
def test_login_of_a_url(url: str, name: str, password: str, database: str) -> None:
    login = login_of(url)

    assert (login.name, login.password, login.database) == (name, password, database)


def test_url_without_user_is_refused() -> None:
    with pytest.raises(RunnerError, match="must name its user"):
        login_of("postgresql://host/d")
