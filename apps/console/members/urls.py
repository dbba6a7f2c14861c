"""Addresses of the members pages."""

from django.urls import path

from apps.console.members import views

urlpatterns = [
    path("", views.members, name="members"),
    path("invite/", views.invite, name="members-invite"),
    path("invitations/<int:invitation_id>/withdraw/", views.withdraw, name="members-withdraw"),
    path("<int:membership_id>/role/", views.role, name="members-role"),
    path("<int:membership_id>/remove/", views.remove, name="members-remove"),
    path("profile/", views.profile, name="members-profile"),
    path("new/", views.new_tenant, name="members-new-tenant"),
    path("switch/", views.switch_tenant, name="switch-tenant"),
    path("join/<str:token>/", views.invitation, name="invitation"),
    path("audit/", views.audit_log, name="members-audit"),
]
