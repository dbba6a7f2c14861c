"""Addresses of the sequences pages."""

from django.urls import path

from apps.console.sequences import views

urlpatterns = [
    path("", views.sequences_list, name="sequences-list"),
    path("new/", views.new, name="sequences-new"),
    path("<int:sequence_id>/", views.sequence_detail, name="sequences-detail"),
    path("<int:sequence_id>/change/", views.change, name="sequences-change"),
    path("<int:sequence_id>/people/", views.enrolled, name="sequences-people"),
]
