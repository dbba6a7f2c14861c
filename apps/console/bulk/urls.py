"""Addresses of actions on many records."""

from django.urls import path

from apps.console.bulk import views

urlpatterns = [
    path("<int:action_id>/", views.detail, name="bulk-detail"),
    path("<int:action_id>/cancel/", views.cancel, name="bulk-cancel"),
    path("<slug:area>/", views.ask, name="bulk-ask"),
    path("<slug:area>/start/", views.start, name="bulk-start"),
]
