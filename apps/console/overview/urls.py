"""Addresses of the overview."""

from django.urls import path

from apps.console.overview import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("live/", views.live, name="overview-live"),
    path("open-errors/", views.errors_badge, name="open-errors"),
    path("theme/", views.theme, name="theme"),
]
