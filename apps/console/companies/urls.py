"""Addresses of the companies pages."""

from django.urls import path

from apps.console.companies import views

urlpatterns = [
    path("", views.companies_list, name="companies-list"),
    path("<int:company_id>/", views.company_detail, name="companies-detail"),
]
