"""The rules, pure: everything that is decided about a record is decided here, from arguments alone."""
