"""Addresses of the sync_settings pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
