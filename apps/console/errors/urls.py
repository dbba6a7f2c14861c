"""Addresses of the sync errors pages."""

from django.urls import path

from apps.console.errors import views

urlpatterns = [
    path("", views.errors_list, name="errors-list"),
    path("clear/", views.clear, name="errors-clear"),
    path("clear-all/", views.clear_all, name="errors-clear-all"),
    path("retry/", views.retry, name="errors-retry"),
    path("retry-all/", views.retry_all, name="errors-retry-all"),
    path("errors.csv", views.errors_csv, name="errors-csv"),
    path("<int:error_id>/", views.error_detail, name="errors-detail"),
    path("<int:error_id>/settle/", views.settle, name="errors-settle"),
]
