"""Addresses of the privacy pages."""

from django.urls import path

from apps.console.privacy import views

urlpatterns = [
    path("settings/privacy/", views.erasures, name="privacy"),
    path("settings/privacy/<int:erasure_id>/allow/", views.allow, name="privacy-allow"),
    path("people/<int:person_id>/data.json", views.export, name="people-data"),
    path("people/<int:person_id>/erase/", views.erase, name="people-erase"),
]
