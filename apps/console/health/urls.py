"""Address of the health check."""

from django.urls import path

from apps.console.health import views

urlpatterns = [path("healthz", views.healthz, name="healthz")]
