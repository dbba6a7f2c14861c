"""Addresses of the lists pages."""

from django.urls import path

from apps.console.lists import editing, views

urlpatterns = [
    path("", views.lists_list, name="lists-list"),
    path("new/", editing.new, name="lists-new"),
    path("<int:list_id>/", views.list_detail, name="lists-detail"),
    path("<int:list_id>/change/", editing.change, name="lists-change"),
    path("<int:list_id>/members/", editing.members, name="lists-members"),
]
