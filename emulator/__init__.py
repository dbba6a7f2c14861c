"""A Salesforce stand-in for demo and tests: one process, the standard library only."""
