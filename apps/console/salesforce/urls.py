"""Addresses of the Salesforce connection's pages."""

from django.urls import path

from apps.console.salesforce import oauth_views, package_views, password_views, views

urlpatterns = [
    path("", views.salesforce, name="salesforce"),
    path("checks/", views.checks, name="salesforce-checks"),
    path("checks/run/", views.run_checks, name="salesforce-checks-run"),
    path("disconnect/", views.disconnect_page, name="salesforce-disconnect"),
    path("connect/", oauth_views.connect, name="salesforce-connect"),
    path("callback/", oauth_views.callback, name="salesforce-callback"),
    path("password/", password_views.password, name="salesforce-password"),
    path("password/<int:attempt_id>/", password_views.attempt, name="salesforce-password-attempt"),
    path("status/", oauth_views.status, name="salesforce-status"),
    path("package/", package_views.package, name="salesforce-package"),
    path("package/progress/", package_views.progress, name="salesforce-package-progress"),
    path("package/install/", package_views.install, name="salesforce-package-install"),
    path("package/cancel/", package_views.cancel, name="salesforce-package-cancel"),
]
