"""Addresses of the page of API keys."""

from django.urls import path

from apps.console.api_keys import views

urlpatterns = [
    path("", views.api_keys, name="api-keys"),
    path("<int:key_id>/revoke/", views.revoke, name="api-keys-revoke"),
]
