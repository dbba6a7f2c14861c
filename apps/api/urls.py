"""Addresses of the REST API."""

from django.urls import path

from apps.api import (
    companies,
    custom_fields,
    documents,
    events,
    lists,
    opportunities,
    people,
    root,
    runs,
    scores,
    sequences,
    sync,
    sync_errors,
)
from apps.api.views import NothingHere

app_name = "api"

urlpatterns = [
    path("schema/", documents.schema, name="schema"),
    path("docs/", documents.docs, name="docs"),
    path("v1/", root.RootView.as_view(), name="root"),
    path("v1/people/", people.PeopleView.as_view(), name="people"),
    path("v1/people/<int:person_id>/", people.PersonView.as_view(), name="person"),
    path("v1/people/<int:person_id>/deactivate/", people.DeactivatePersonView.as_view(), name="person-deactivate"),
    path("v1/people/<int:person_id>/reactivate/", people.ReactivatePersonView.as_view(), name="person-reactivate"),
    path("v1/people/<int:person_id>/consent/", people.ConsentView.as_view(), name="person-consent"),
    path("v1/people/<int:person_id>/sync/", sync.SyncPersonView.as_view(), name="person-sync"),
    path("v1/people/<int:person_id>/score/", scores.ScoreView.as_view(), name="person-score"),
    path("v1/people/<int:person_id>/events/", events.PersonEventsView.as_view(), name="person-events"),
    path("v1/events/", events.EventsView.as_view(), name="events"),
    path("v1/lists/", lists.ListsView.as_view(), name="lists"),
    path("v1/lists/<int:list_id>/", lists.ListView.as_view(), name="list"),
    path("v1/lists/<int:list_id>/members/", lists.MembersView.as_view(), name="members"),
    path("v1/lists/<int:list_id>/members/remove/", lists.RemoveMembersView.as_view(), name="members-remove"),
    path("v1/lists/<int:list_id>/members/status/", lists.MemberStatusView.as_view(), name="members-status"),
    path("v1/lists/<int:list_id>/members/<int:person_id>/", lists.MemberView.as_view(), name="member"),
    path("v1/sequences/", sequences.SequencesView.as_view(), name="sequences"),
    path("v1/sequences/<int:sequence_id>/", sequences.SequenceView.as_view(), name="sequence"),
    path("v1/sequences/<int:sequence_id>/enrolments/", sequences.EnrolmentsView.as_view(), name="enrolments"),
    path(
        "v1/sequences/<int:sequence_id>/enrolments/status/",
        sequences.EnrolmentStatusView.as_view(),
        name="enrolments-status",
    ),
    path("v1/custom-fields/", custom_fields.CustomFieldsView.as_view(), name="custom-fields"),
    path("v1/custom-fields/<int:field_id>/", custom_fields.CustomFieldView.as_view(), name="custom-field"),
    path("v1/companies/", companies.CompaniesView.as_view(), name="companies"),
    path("v1/companies/<int:company_id>/", companies.CompanyView.as_view(), name="company"),
    path(
        "v1/companies/<int:company_id>/deactivate/",
        companies.DeactivateCompanyView.as_view(),
        name="company-deactivate",
    ),
    path(
        "v1/companies/<int:company_id>/reactivate/",
        companies.ReactivateCompanyView.as_view(),
        name="company-reactivate",
    ),
    path("v1/companies/<int:company_id>/sync/", sync.SyncCompanyView.as_view(), name="company-sync"),
    path("v1/opportunities/", opportunities.OpportunitiesView.as_view(), name="opportunities"),
    path("v1/opportunities/<int:opportunity_id>/", opportunities.OpportunityView.as_view(), name="opportunity"),
    path("v1/sync/", sync.StatusView.as_view(), name="sync"),
    path("v1/sync/full/", sync.FullSyncView.as_view(), name="sync-full"),
    path("v1/sync/differential/", sync.DifferentialSyncView.as_view(), name="sync-differential"),
    path("v1/runs/", runs.RunsView.as_view(), name="runs"),
    path("v1/runs/<int:run_id>/", runs.OneRunView.as_view(), name="run"),
    path("v1/runs/<int:run_id>/cancel/", runs.CancelRunView.as_view(), name="run-cancel"),
    path("v1/errors/", sync_errors.SyncErrorsView.as_view(), name="errors"),
    path("v1/errors/clear/", sync_errors.ClearErrorsView.as_view(), name="errors-clear"),
    path("v1/errors/retry/", sync_errors.RetryErrorsView.as_view(), name="errors-retry"),
    path("v1/errors/<int:error_id>/", sync_errors.SyncErrorView.as_view(), name="error"),
    path("v1/<path:rest>", NothingHere.as_view(), name="nothing"),
]
