"""Addresses of the opportunities pages."""

from django.urls import path

from apps.console.opportunities import views

urlpatterns = [
    path("", views.opportunities_list, name="opportunities-list"),
    path("<int:opportunity_id>/", views.opportunity_detail, name="opportunities-detail"),
    path("<int:opportunity_id>/why/", views.why, name="opportunities-why"),
]
