"""Addresses of the hub pages."""

from django.urls import path

from apps.console.hub import views

urlpatterns = [path("", views.hub, name="hub")]
