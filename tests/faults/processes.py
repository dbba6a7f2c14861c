"""Processes of the product that are made to be watched and killed."""

import os
import subprocess
import sys

from django.db import connection as database

from emulator.control import EmulatorControl
from emulator.oauth import CLIENT_ID, CLIENT_SECRET


def start(module: str, *arguments: object, emulator: EmulatorControl) -> "subprocess.Popen[str]":
    """A module of the tests in a process of its own, with this test's database and Salesforce."""
    environment = os.environ | {
        "DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database.settings_dict),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "SALESFORCE_LOGIN_URL": emulator.base_url,
        "SALESFORCE_TRUSTED_HOSTS": emulator.base_url.removeprefix("http://"),
        "SALESFORCE_CLIENT_ID": CLIENT_ID,
        "SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
    }
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
