"""Addresses of the log pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
