"""Addresses of the companies pages."""

from django.urls import path

from apps.console.companies import editing, views

urlpatterns = [
    path("", views.companies_list, name="companies-list"),
    path("new/", editing.new, name="companies-new"),
    path("<int:company_id>/", views.company_detail, name="companies-detail"),
    path("<int:company_id>/edit/", editing.edit, name="companies-edit"),
    path("<int:company_id>/active/", editing.active, name="companies-active"),
    path("<int:company_id>/link/", editing.link, name="companies-link"),
    path("<int:company_id>/unlink/", editing.unlink, name="companies-unlink"),
    path("<int:company_id>/sync/", editing.sync, name="companies-sync"),
    path("<int:company_id>/sync/<int:run_id>/", editing.sync_run, name="companies-sync-run"),
    path("<int:company_id>/why/", editing.why, name="companies-why"),
]
