"""What is installed into an org: its source, its way there, and whether it is there."""
