"""Addresses of the faces."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("apps.console.urls")),
]
