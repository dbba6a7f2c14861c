"""Addresses of the panel. They are registered in Salesforce's setup and in the package."""

from django.urls import path

from apps.embedded import quick_view, views

app_name = "embedded"
urlpatterns = [
    path("", views.canvas, name="canvas"),
    path("view/", quick_view.quick_view, name="view"),
    path("sync/", views.sync, name="sync"),
    path("sync/run/", views.sync_run, name="sync-run"),
    path("list/", views.add_to_a_list, name="list"),
    path("sequence/", views.enrol_in_sequence, name="sequence"),
    path("opt-out/", views.opt_out, name="opt-out"),
]
