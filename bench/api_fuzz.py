"""Random requests by the OpenAPI document: ``python3 -m bench.api_fuzz --cases 10000`` with a key, and as many without.

Starts its own PostgreSQL and Valkey. Prints how many requests there were, how they were answered, and every complaint:
a failure of ours, an answer that the document does not know, broken data that was taken, another account's data.
"""

import argparse
import sys
import warnings

from bench.services import running_services


def main() -> int:
    """0 where nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="requests with a key, and as many without")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--who", choices=["both", "key", "nobody"], default="both", help="who asks")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with running_services():
        from bench.api_fuzz_work import run

        return run(arguments.cases, arguments.seed, arguments.who)


if __name__ == "__main__":
    sys.exit(main())
