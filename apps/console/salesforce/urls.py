"""Addresses of the salesforce pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
