"""Every command of docs/api.md, run as it stands by a shell against a live server, in the order of the page."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from apps.integrations.models import Connection
from apps.tenants.models import Scope, Tenant
from tests.api.conftest import new_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
_BLOCK = re.compile(r"<!-- (\d{3})(?:, id as ([A-Z]+))?[^>]*-->\n```sh\n(.*?)```", re.DOTALL)
_SHELL = "curl() { command curl -sS --max-time 60 -w '\\n%{http_code}' \"$@\"; }\n"
COMMANDS = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def test_every_command_says_what_it_is_answered() -> None:
    assert PAGE.read_text(encoding="utf-8").count("```sh\n") == len(COMMANDS) > 20


def test_every_scope_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [scope for scope in Scope if f"`{scope}`" not in text] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_is_answered_as_the_page_says(
    live_server: LiveServer, tenant: Tenant, connected: Connection
) -> None:
    known = {"SYNCLINE": live_server.url, "KEY": new_key(tenant)}
    for status, name, command in COMMANDS:
        done = subprocess.run(
            ["bash", "-c", _SHELL + command], env={**os.environ, **known}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, command + done.stderr
        body, _, answered = done.stdout.rpartition("\n")
        assert answered == status, command + body
        if name:
            known[name] = str(json.loads(body)["id"])
