"""What changes tenants and their members."""
