"""The pages of records of types that a tenant added."""
