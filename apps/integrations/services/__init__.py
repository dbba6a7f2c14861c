"""What changes a connection."""
