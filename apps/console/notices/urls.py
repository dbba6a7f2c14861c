"""Addresses of the notices in the app."""

from django.urls import path

from apps.console.notices import views

urlpatterns = [
    path("", views.notices, name="notices"),
    path("read/", views.read, name="notices-read"),
    path("<int:notice_id>/", views.open_notice, name="notices-open"),
]
