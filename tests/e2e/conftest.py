"""A whole copy of Syncline as ``manage.py up`` starts it, a Salesforce stand-in beside it, and a browser."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from config.runner.ports import free_port
from emulator.control import running_emulator
from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.e2e.steps import CHOSEN, SALESFORCE_PASSWORD, Copy, connect, run_full_sync, sign_up
from tests.runner.tools import eventually, passable_folder

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="package")
def copy() -> Iterator[Copy]:
    """``manage.py up`` with nothing but the documented settings of a Salesforce, on folders of its own."""
    with passable_folder() as folder, running_emulator(folder / "salesforce") as emulator:
        org = emulator.create_org(
            name="Fabrikam Salesforce", username="integration@fabrikam.example", password=SALESFORCE_PASSWORD
        )
        emulator.seed(org["id"], accounts=150, contacts=300, leads=2500, opportunities=60, campaigns=3, members=200)
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "REDIS"))}
        environment |= {
            "SYNCLINE_STATE": str(folder / "state"),
            "SYNCLINE_PORT": str(port),
            "SYNCLINE_BASE_URL": f"http://127.0.0.1:{port}",
            "SALESFORCE_LOGIN_URL": emulator.base_url,
            "SALESFORCE_CLIENT_ID": CLIENT_ID,
            "SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
            "SALESFORCE_TRUSTED_HOSTS": emulator.base_url.removeprefix("http://"),
        }
        said = folder / "said.txt"
        with said.open("w") as screen:
            process = subprocess.Popen(
                [sys.executable, "-m", "config.runner", "up"],
                cwd=CHECKOUT,
                env=environment,
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        try:
            address = _wait_for_address(process, said)
            yield Copy(address, emulator, org["id"], "integration@fabrikam.example", folder / "state")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0, "it stops cleanly on Ctrl-C"


def _wait_for_address(process: "subprocess.Popen[bytes]", said: Path) -> str:
    def came_up() -> bool:
        return "Address: " in said.read_text() or process.poll() is not None

    assert eventually(came_up, seconds=180), said.read_text()
    assert process.poll() is None, said.read_text()
    return next(line.split()[1] for line in said.read_text().splitlines() if line.startswith("Address: "))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs on the test's thread
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def synced(copy: Copy, browser: Browser) -> Iterator[Page]:
    """A tab of somebody who came without an account, and has everything of their org here now."""
    for values in CHOSEN:
        copy.emulator.create(copy.org_id, "Lead", **values)
    context = browser.new_context(base_url=copy.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_up(page)
    connect(page, copy)
    run_full_sync(page)
    yield page
    context.close()
