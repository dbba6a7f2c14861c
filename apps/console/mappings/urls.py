"""Addresses of profiles, steps, objects and mappings."""

from django.urls import path

from apps.console.mappings import effect_views, filter_views, object_views, profile_views, table_views

urlpatterns = [
    path("mappings-reviewed/", object_views.mappings_reviewed, name="salesforce-mappings-reviewed"),
    path("objects/<slug:name>/", object_views.object_page, name="salesforce-object"),
    path("objects/<slug:name>/on/", object_views.object_on, name="object-on"),
    path("objects/<slug:name>/sync/", object_views.object_sync, name="object-sync"),
    path("profiles/", profile_views.profiles, name="profiles"),
    path("profiles/switch/", profile_views.switch, name="profile-switch"),
    path("profiles/add-step/", profile_views.add, name="step-add"),
    path("steps/<int:step_id>/move/", profile_views.move, name="step-move"),
    path("steps/<int:step_id>/on/", profile_views.enable, name="step-on"),
    path("steps/<int:step_id>/turn/", profile_views.turn, name="step-turn"),
    path("steps/<int:step_id>/clone/", profile_views.clone, name="step-clone"),
    path("steps/<int:step_id>/remove/", profile_views.remove, name="step-remove"),
    path("steps/<int:step_id>/statuses/", profile_views.statuses, name="step-statuses"),
    path("steps/<int:step_id>/switches/", object_views.switches, name="step-switches"),
    path("steps/<int:step_id>/mappings/", table_views.save_table, name="mappings-save"),
    path("steps/<int:step_id>/mappings/add/", table_views.add, name="mapping-add"),
    path("mappings/<int:mapping_id>/values/", table_views.values, name="mapping-values"),
    path("steps/<int:step_id>/filter/<str:side>/", filter_views.step_filter, name="step-filter"),
    path("steps/<int:step_id>/list-views/", filter_views.list_views, name="step-list-views"),
    path("steps/<int:step_id>/preview/", effect_views.preview, name="step-preview"),
    path("steps/<int:step_id>/push-all/", effect_views.push_all, name="step-push-all"),
]
