"""Addresses of the pages with which custom objects are added."""

from django.urls import path

from apps.console.custom_objects import views

urlpatterns = [
    path("", views.objects, name="custom-objects"),
    path("look/", views.look, name="custom-objects-look"),
    path("add/", views.add, name="custom-objects-add"),
]
