"""Addresses of the lists pages."""

from django.urls import path

from apps.console.lists import views

urlpatterns = [
    path("", views.lists_list, name="lists-list"),
    path("<int:list_id>/", views.list_detail, name="lists-detail"),
]
