"""Addresses of the sync settings."""

from django.urls import path

from apps.console.sync_settings import views

urlpatterns = [
    path("", views.sync_settings, name="sync-settings"),
    path("save/", views.save, name="sync-settings-save"),
    path("full-sync/", views.full_sync, name="sync-settings-full-sync"),
]
