"""Addresses of the rules."""

from django.urls import path

from apps.console.actions import building, trying, views

urlpatterns = [
    path("", views.actions_list, name="actions-list"),
    path("new/", building.new, name="actions-new"),
    path("steps/", views.spare_steps, name="actions-steps"),
    path("<int:rule_id>/", building.edit, name="actions-edit"),
    path("<int:rule_id>/log/", views.effect_log, name="actions-log"),
    path("<int:rule_id>/try/", trying.try_out, name="actions-try"),
    path("<int:rule_id>/switch/", views.switch, name="actions-switch"),
    path("<int:rule_id>/move/", views.move, name="actions-move"),
    path("<int:rule_id>/delete/", views.delete, name="actions-delete"),
    path("<int:rule_id>/held/", views.held, name="actions-held"),
]
