"""Runs Syncline on one machine: embedded PostgreSQL and Valkey, and every process of the product."""
