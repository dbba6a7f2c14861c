"""Addresses of the errors pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
