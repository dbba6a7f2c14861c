"""``python -m bench.pages``: every list, search, filter and detail page, on the server, with much data in one tenant.

1,000,000 people, 100,000 companies, 100,000 errors and 1,000,000 entries of runs in one tenant beside 200 small ones,
row-level security on. Prints p50 and p95 of the server's time for each address, and how many queries it asks; ends
with 1 where a p95 is over 200 ms or the number of queries depends on the data.
"""

import argparse
import sys

from bench.services import running_services

LIMIT_MS = 200.0


def main() -> int:
    """Seed, measure and print."""
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    with running_services():
        from bench.pages_work import House

        house = House(options.people)
        print(f"seeded in {house.seed():.0f} s")
        return 1 if house.measure(options.samples, LIMIT_MS) else 0


if __name__ == "__main__":
    sys.exit(main())
