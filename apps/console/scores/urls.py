"""Addresses of the score points page."""

from django.urls import path

from apps.console.scores import views

urlpatterns = [path("", views.scores, name="scores")]
