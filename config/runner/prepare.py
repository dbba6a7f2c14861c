"""Brings database and static files up to date, in one process because each one costs seconds to start.

``python -m config.runner.prepare [COMMAND …]``: further commands of Django are run after.
"""

import sys
from collections.abc import Sequence

import django
from django.core.management import call_command


def main(commands: Sequence[str]) -> None:
    """Migrate as the owner, collect the static files, then do what else is asked for."""
    django.setup()
    call_command("migrate", database="owner", verbosity=1, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    for command in commands:
        call_command(command)


if __name__ == "__main__":
    main(sys.argv[1:])
