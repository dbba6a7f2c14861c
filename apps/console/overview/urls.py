"""Addresses of the overview."""

from django.urls import path

from apps.console.overview import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("theme/", views.theme, name="theme"),
]
