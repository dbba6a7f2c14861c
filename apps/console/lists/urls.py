"""Addresses of the lists pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
