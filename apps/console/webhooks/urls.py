"""Addresses of the webhook pages."""

from django.urls import path

from apps.console.webhooks import views

urlpatterns = [
    path("", views.webhooks_list, name="webhooks-list"),
    path("new/", views.new, name="webhooks-new"),
    path("<int:endpoint_id>/", views.detail, name="webhooks-detail"),
    path("<int:endpoint_id>/edit/", views.edit, name="webhooks-edit"),
    path("<int:endpoint_id>/switch/", views.switch, name="webhooks-switch"),
    path("<int:endpoint_id>/test/", views.test, name="webhooks-test"),
    path("<int:endpoint_id>/rotate/", views.rotate, name="webhooks-rotate"),
    path("<int:endpoint_id>/delete/", views.delete, name="webhooks-delete"),
    path("deliveries/<int:delivery_id>/", views.delivery, name="webhooks-delivery"),
    path("deliveries/<int:delivery_id>/replay/", views.replay_one, name="webhooks-replay"),
]
