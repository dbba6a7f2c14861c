"""Addresses of saved filters."""

from django.urls import path

from apps.console.filters import views

urlpatterns = [
    path("<int:filter_id>/", views.edit, name="filters-edit"),
    path("<int:filter_id>/remove/", views.remove, name="filters-remove"),
    path("<slug:area>/new/", views.new, name="filters-new"),
]
