"""Addresses of the activity log."""

from django.urls import path

from apps.console.log import views

urlpatterns = [
    path("", views.log_list, name="log-list"),
    path("merges/", views.merges, name="log-merges"),
    path("<int:run_id>/", views.run_page, name="log-run"),
    path("<int:run_id>/cancel/", views.cancel, name="log-cancel"),
    path("<int:run_id>/rows/", views.run_rows, name="log-rows"),
    path("<int:run_id>/rows.csv", views.run_rows_csv, name="log-rows-csv"),
]
