"""Addresses of the outbound queue."""

from django.urls import path

from apps.console.queue import views

urlpatterns = [
    path("", views.queue_list, name="queue-list"),
    path("cancel/", views.cancel, name="queue-cancel"),
    path("release/", views.release, name="queue-release"),
    path("commands/", views.commands, name="queue-commands"),
]
