"""Level 2: the product itself, with PostgreSQL, and the emulator in the same process."""
