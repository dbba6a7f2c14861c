"""Address of the question by Salesforce id."""

from django.urls import path

from apps.console.why import views

urlpatterns = [path("", views.search, name="why")]
