"""Addresses of the faces."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include("apps.api.urls")),
    path("embedded/salesforce/", include("apps.embedded.urls")),
    path("", include("apps.console.urls")),
]

handler400 = "apps.api.errors.bad_request"
handler404 = "apps.api.errors.not_found"
handler500 = "apps.api.errors.server_error"
