"""Addresses of the overview pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
