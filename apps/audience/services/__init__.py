"""Changing people and companies: every change is a new version, is written down, and waits for Salesforce."""
