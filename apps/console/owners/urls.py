"""Addresses of the owners page."""

from django.urls import path

from apps.console.owners import views

urlpatterns = [path("", views.owners, name="owners")]
