"""Addresses of the custom fields pages."""

from django.urls import path

from apps.console.custom_fields import views

urlpatterns = [
    path("", views.custom_fields, name="custom-fields"),
    path("new/", views.new, name="custom-fields-new"),
    path("<int:field_id>/", views.edit, name="custom-fields-edit"),
    path("<int:field_id>/remove/", views.remove, name="custom-fields-remove"),
]
