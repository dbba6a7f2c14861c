"""Changing profiles, steps, filters and mappings: each change checked, versioned and written to the audit."""
