"""Addresses of the people pages."""

from django.urls import path

from apps.console.people import views

urlpatterns = [
    path("", views.people_list, name="people-list"),
    path("<int:person_id>/", views.person_detail, name="people-detail"),
]
