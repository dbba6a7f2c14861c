"""``python -m config.runner COMMAND``: what ``manage.py`` becomes once the packages are there."""

import sys

from config.runner.commands import django_command, run

USAGE = """python3 manage.py demo    a copy with a Salesforce stand-in and data to look around in
python3 manage.py up      a copy for your own Salesforce (see .env.example)
python3 manage.py test    the tests; arguments go to pytest
python3 manage.py histories --count N --level 1|2 --seed S    random histories against the invariants
python3 manage.py mutants    seeded defects, each of which the histories must catch
python3 manage.py …       any command of Django"""


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    match arguments:
        case [] | ["help" | "--help" | "-h"]:
            print(USAGE)
            return 0
        case [("demo" | "up") as name]:
            return run(name)
        case [("demo" | "up") as name, *_]:
            print(f"{name} takes no arguments; settings come from the environment (see .env.example).", file=sys.stderr)
            return 2
        case _:
            return django_command(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
