"""Addresses of the people pages."""

from django.urls import path

from apps.console.people import activity, editing, views

urlpatterns = [
    path("", views.people_list, name="people-list"),
    path("new/", editing.new, name="people-new"),
    path("<int:person_id>/", views.person_detail, name="people-detail"),
    path("<int:person_id>/edit/", editing.edit, name="people-edit"),
    path("<int:person_id>/consent/", editing.consent, name="people-consent"),
    path("<int:person_id>/active/", editing.active, name="people-active"),
    path("<int:person_id>/link/", editing.link, name="people-link"),
    path("<int:person_id>/unlink/", editing.unlink, name="people-unlink"),
    path("<int:person_id>/sync/", editing.sync, name="people-sync"),
    path("<int:person_id>/sync/<int:run_id>/", editing.sync_run, name="people-sync-run"),
    path("<int:person_id>/activity/", activity.activity, name="people-activity"),
    path("<int:person_id>/score/", activity.score, name="people-score"),
    path("<int:person_id>/lists/", activity.lists, name="people-lists"),
    path("<int:person_id>/sequences/", activity.sequences, name="people-sequences"),
    path("<int:person_id>/why/", editing.why, name="people-why"),
]
