"""``python -m bench.import_csv --rows 200000``: an import of people with ten columns, through a real worker.

Starts its own PostgreSQL, Valkey and worker process; prints rows per second, peak memory of each process, and the ratio
to a floor measured in the same run: the same bytes COPYed into an UNLOGGED table and put by one bare INSERT … SELECT
into a table of the same columns, constraints and indexes as the people's.
"""

import argparse
import sys
from contextlib import ExitStack

from bench.services import running_services


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.import_csv", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(running_services())
        from bench.import_csv_work import measure

        measure(stack, options.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
