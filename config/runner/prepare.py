"""Brings database and static files up to date, in one process because each one costs seconds to start."""

import django
from django.core.management import call_command


def main() -> None:
    """Migrate as the owner, then collect the static files."""
    django.setup()
    call_command("migrate", database="owner", verbosity=1, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)


if __name__ == "__main__":
    main()
