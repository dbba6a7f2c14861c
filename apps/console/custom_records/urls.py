"""Addresses of the pages of custom records."""

from django.urls import path

from apps.console.custom_records import editing, views

urlpatterns = [
    path("open/<int:record_id>/", views.open_record, name="records-open"),
    path("open/<int:record_id>/why/", views.open_why, name="records-open-why"),
    path("<slug:key>/", views.records_list, name="records-list"),
    path("<slug:key>/new/", editing.new, name="records-new"),
    path("<slug:key>/<int:record_id>/", views.record_detail, name="records-detail"),
    path("<slug:key>/<int:record_id>/edit/", editing.edit, name="records-edit"),
    path("<slug:key>/<int:record_id>/active/", editing.active, name="records-active"),
    path("<slug:key>/<int:record_id>/sync/", editing.sync, name="records-sync"),
    path("<slug:key>/<int:record_id>/sync/<int:run_id>/", editing.sync_run, name="records-sync-run"),
    path("<slug:key>/<int:record_id>/why/", views.why, name="records-why"),
]
