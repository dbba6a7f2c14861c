"""The embedded servers start, keep their data, refuse strangers, and end with whoever started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
import redis

from config.runner.files import write_secrets
from config.runner.postgres import EmbeddedPostgres, embedded_postgres, shared_buffers
from config.runner.process import RunnerError
from config.runner.stack import CHECKOUT
from config.runner.state import has_started, when_started
from config.runner.valkey import embedded_valkey
from tests.runner.tools import eventually, execute

STARTER = """
import sys, time
from pathlib import Path
from config.runner.postgres import embedded_postgres
from config.runner.valkey import embedded_valkey
folder = Path(sys.argv[1])
with embedded_postgres(folder / "pg", durable=False) as pg, embedded_valkey(folder / "valkey", durable=False) as valkey:
    print(pg.pid, valkey.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("memory", "size"), [(2**28, "128MB"), (2**31, "512MB"), (2**32, "1024MB"), (2**38, "1024MB")])
def test_the_cache_of_the_server_follows_the_memory_of_the_machine(memory: int, size: str) -> None:
    assert shared_buffers(memory) == size


def test_data_survives_a_stop_and_a_power_cut(folder: Path) -> None:
    with embedded_postgres(folder / "pg", durable=True) as server:
        execute(server.owner_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    with embedded_postgres(folder / "pg", durable=True) as server:
        execute(server.owner_url, "INSERT INTO kept VALUES (2)")
        port = server.port
        server.kill()
        server.start()

        assert server.port == port
        assert execute(server.owner_url, "SELECT n FROM kept ORDER BY n") == [(1,), (2,)]


def test_server_does_not_run_as_root_and_asks_for_a_password(folder: Path) -> None:
    with embedded_postgres(folder / "pg", durable=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres")


def test_passwords_are_nobody_elses(folder: Path) -> None:
    with embedded_postgres(folder / "pg", durable=False) as server, embedded_valkey(folder / "v", durable=False):
        secret_files = [server.folder / "passwords.json", folder / "v" / "password.json", folder / "v" / "valkey.conf"]
        assert {path.stat().st_mode & 0o077 for path in secret_files} == {0}
        command_line = Path(f"/proc/{server.pid}/cmdline").read_text(encoding="utf-8")
        assert server.login_url.split(":")[2].split("@")[0] not in command_line
        assert not list(server.folder.glob("initdb-password"))


def test_folder_in_use_is_refused_and_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded_postgres(folder / "pg", durable=False) as server:
        monkeypatch.setattr("config.runner.postgres.PREDECESSOR_SECONDS", 0.2)
        with pytest.raises(RunnerError, match="Another PostgreSQL"):
            EmbeddedPostgres(folder / "pg", durable=False).start()
        assert execute(server.login_url, "SELECT 1") == [(1,)]


def test_interrupted_initialisation_is_made_anew(folder: Path) -> None:
    (folder / "pg" / "cluster.new").mkdir(parents=True)
    (folder / "pg" / "cluster.new" / "PG_VERSION").write_text("18", encoding="utf-8")
    with embedded_postgres(folder / "pg", durable=False) as server:
        assert execute(server.login_url, "SELECT 1") == [(1,)]


def test_valkey_keeps_its_data_and_asks_for_a_password(folder: Path) -> None:
    with embedded_valkey(folder / "v", durable=True) as server:
        redis.Redis.from_url(server.url).set("kept", "yes")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port).ping()
    with embedded_valkey(folder / "v", durable=True) as server:
        assert redis.Redis.from_url(server.url).get("kept") == b"yes"


def test_servers_end_with_a_starter_that_is_killed(folder: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert starter.stdout is not None
    with starter.stdout:
        servers = {pid: when_started(pid) for pid in map(int, starter.stdout.readline().split())}
    assert all(servers.values())

    starter.send_signal(signal.SIGKILL)
    starter.wait()

    assert eventually(lambda: not any(has_started(pid, at) for pid, at in servers.items()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a home that others cannot enter and another account")
def test_folder_that_the_servers_account_cannot_reach_is_refused(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(RunnerError, match="only root can enter"):
        EmbeddedPostgres(closed / "pg", durable=False).start()


def test_secrets_are_replaced_wholly(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    write_secrets(path, {"a": "long " * 100})
    write_secrets(path, {"a": "b"})

    assert path.read_text(encoding="utf-8") == '{\n "a": "b"\n}'
    assert [p.name for p in tmp_path.iterdir()] == ["secrets.json"]
