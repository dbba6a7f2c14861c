"""Addresses of the companies pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
