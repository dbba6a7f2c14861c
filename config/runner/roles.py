"""The database's roles: an owner for migrations, a login without rights, and the two roles it switches to.

``python -m config.runner.roles`` makes them for the database of the environment.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection, cursor

from config.runner.process import RunnerError

GROUP_ROLES = ("syncline_app", "syncline_dispatcher")
_LOCK = 7_961_046  # any fixed number: two preparations of one server wait for each other


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects, with what, and where to."""

    name: str
    password: str
    database: str


def login_of(url: str) -> Login:
    """The account and database that a database URL names."""
    parts = urlsplit(url)
    if not parts.username:
        raise RunnerError("A database URL must name its user, as in postgresql://user:password@host:5432/database.")
    return Login(
        name=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")) or unquote(parts.username),
    )


def with_database(url: str, database: str) -> str:
    """The same server and account, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _connect(url: str) -> connection:
    try:
        link = psycopg2.connect(url, connect_timeout=10)
    except psycopg2.OperationalError as error:
        raise RunnerError(f"The database cannot be reached: {str(error).strip()}") from error
    link.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    return link


def _has(work: cursor, query: str, values: Sequence[str]) -> bool:
    work.execute(query, values)
    return work.fetchone() is not None


def _role_exists(work: cursor, name: str) -> bool:
    return _has(work, "SELECT 1 FROM pg_roles WHERE rolname = %s", [name])


def _may_switch(work: cursor, member: str, group: str, version: int) -> bool:
    right = "SET" if version >= 160000 else "MEMBER"
    query = (
        "SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles w ON w.oid = m.member "
        "WHERE g.rolname = %s AND w.rolname = %s"
    )
    direct = _has(work, query + (" AND m.set_option" if right == "SET" else ""), [group, member])
    return direct or _has(work, "SELECT 1 FROM pg_roles WHERE rolsuper AND rolname = %s", [member])


def _account_statement(work: cursor, who: Login, rights: str) -> list[sql.Composed]:
    verb = "ALTER" if _role_exists(work, who.name) else "CREATE"
    return [
        sql.SQL(f"{verb} ROLE {{}} WITH LOGIN {rights} PASSWORD {{}}").format(
            sql.Identifier(who.name), sql.Literal(who.password)
        )
    ]


def _group_statements(work: cursor, members: Sequence[str], version: int) -> list[sql.Composed]:
    statements = [
        sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(group))
        for group in GROUP_ROLES
        if not _role_exists(work, group)
    ]
    options = " WITH INHERIT FALSE, SET TRUE" if version >= 160000 else ""
    statements += [
        sql.SQL("GRANT {} TO {}" + options).format(sql.Identifier(group), sql.Identifier(member))
        for group in GROUP_ROLES
        for member in dict.fromkeys(members)
        if not _may_switch(work, member, group, version)
    ]
    return statements


def _carry_out(work: cursor, statements: Sequence[sql.Composed]) -> None:
    try:
        for statement in statements:
            work.execute(statement)
    except psycopg2.errors.InsufficientPrivilege as error:
        by_hand = "\n".join(f"  {statement.as_string(work)};" for statement in statements)
        raise RunnerError(
            f"The owner's account may not create roles. Run this once as an administrator:\n{by_hand}"
        ) from error


def ensure_roles(owner_url: str, login_url: str) -> None:
    """Make what is missing of the roles, by the owner's account; when it may not, say which SQL to run by hand."""
    owner, login = login_of(owner_url), login_of(login_url)
    with closing(_connect(owner_url)) as link, link.cursor() as work:
        work.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        statements: list[sql.Composed] = []
        if not _role_exists(work, login.name):
            statements += _account_statement(work, login, "NOSUPERUSER NOINHERIT")
        statements += _group_statements(work, [owner.name, login.name], link.server_version)
        _carry_out(work, statements)


def create_database(admin_url: str, owner_url: str, login_url: str) -> None:
    """As an administrator, make owner, login, roles and the owner's database; running it again changes nothing.

    The owner may create databases because the tests do.
    """
    owner, login = login_of(owner_url), login_of(login_url)
    with closing(_connect(admin_url)) as link, link.cursor() as work:
        work.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        statements = _account_statement(work, owner, "NOSUPERUSER NOBYPASSRLS NOCREATEROLE CREATEDB")
        statements += _account_statement(work, login, "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOINHERIT")
        _carry_out(work, statements)
        _carry_out(work, _group_statements(work, [owner.name, login.name], link.server_version))
        if not _has(work, "SELECT 1 FROM pg_database WHERE datname = %s", [owner.database]):
            work.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(owner.database), sql.Identifier(owner.name)
                )
            )


def main() -> int:
    """Prepare the database that the environment names."""
    login_url = os.environ["DATABASE_URL"]
    owner_url = os.environ.get("DATABASE_OWNER_URL", login_url)
    admin_url = os.environ.get("DATABASE_ADMIN_URL")
    try:
        if admin_url:
            create_database(admin_url, owner_url, login_url)
        else:
            ensure_roles(owner_url, login_url)
    except RunnerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
