"""Addresses of the web pages, by area."""

from django.urls import include, path

from apps.console.exports import export_companies, export_members, export_people
from apps.console.imports.views import import_companies, import_people

app_name = "console"

urlpatterns = [
    path("", include("apps.console.overview.urls")),
    path("", include("apps.console.health.urls")),
    path("settings/api-keys/", include("apps.console.api_keys.urls")),
    path("members/", include("apps.console.members.urls")),
    path("integrations/", include("apps.console.hub.urls")),
    path("integrations/salesforce/objects/", include("apps.console.custom_objects.urls")),
    path("integrations/salesforce/owners/", include("apps.console.owners.urls")),
    path("integrations/salesforce/", include("apps.console.salesforce.urls")),
    path("integrations/salesforce/", include("apps.console.mappings.urls")),
    path("integrations/salesforce/settings/", include("apps.console.sync_settings.urls")),
    path("integrations/salesforce/log/", include("apps.console.log.urls")),
    path("integrations/salesforce/errors/", include("apps.console.errors.urls")),
    path("integrations/salesforce/actions/", include("apps.console.actions.urls")),
    path("integrations/salesforce/queue/", include("apps.console.queue.urls")),
    path("integrations/salesforce/why/", include("apps.console.why.urls")),
    path("", include("apps.console.privacy.urls")),
    path("imports/", include("apps.console.imports.urls")),
    path("people/export.csv", export_people, name="people-export"),
    path("companies/export.csv", export_companies, name="companies-export"),
    path("lists/<int:list_id>/members.csv", export_members, name="lists-export"),
    path("people/import/", import_people, name="people-import"),
    path("companies/import/", import_companies, name="companies-import"),
    path("settings/webhooks/", include("apps.console.webhooks.urls")),
    path("people/", include("apps.console.people.urls")),
    path("companies/", include("apps.console.companies.urls")),
    path("opportunities/", include("apps.console.opportunities.urls")),
    path("bulk/", include("apps.console.bulk.urls")),
    path("filters/", include("apps.console.filters.urls")),
    path("records/", include("apps.console.custom_records.urls")),
    path("notices/", include("apps.console.notices.urls")),
    path("lists/", include("apps.console.lists.urls")),
    path("sequences/", include("apps.console.sequences.urls")),
    path("settings/fields/", include("apps.console.custom_fields.urls")),
    path("settings/scores/", include("apps.console.scores.urls")),
]
