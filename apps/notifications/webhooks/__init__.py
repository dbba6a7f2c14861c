"""Webhooks out: who is told of which event, and how it gets there."""
