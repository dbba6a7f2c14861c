"""Profiles, sync steps, field mappings and filters."""

from django.apps import AppConfig


class FieldMappingsConfig(AppConfig):
    name = "apps.field_mappings"
