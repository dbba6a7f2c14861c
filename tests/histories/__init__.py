"""Random histories of both sides, held against the invariants of a correct sync; see ``docs/reliability.md``."""
