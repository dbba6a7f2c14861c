"""Addresses of the import pages."""

from django.urls import path

from apps.console.imports import views

urlpatterns = [
    path("", views.imports_list, name="imports-list"),
    path("<int:import_id>/", views.detail, name="imports-detail"),
    path("<int:import_id>/columns/", views.columns, name="imports-columns"),
    path("<int:import_id>/cancel/", views.cancel, name="imports-cancel"),
    path("<int:import_id>/errors.csv", views.errors_csv, name="imports-errors-csv"),
]
