"""Requests about many people at once."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.fields import Input, Output
from apps.audience.models import Person

MOST_PEOPLE = 1_000


class PeopleInput(Input):
    """Which people."""

    person_ids = serializers.ListField(
        child=fields.Id(),
        min_length=1,
        max_length=MOST_PEOPLE,
        help_text=f"Ids of people, at most {MOST_PEOPLE:,}.",
    )


class PeopleChangedOutput(Output):
    """For how many people something changed."""

    changed = serializers.IntegerField(help_text="People for whom it changed; the others were so already.")
    unknown = serializers.ListField(child=serializers.IntegerField(), help_text="Ids that nobody here has.")


def unknown_of(ids: Sequence[int]) -> list[int]:
    """Those of the ids that nobody in the account has."""
    known = set(Person.objects.filter(id__in=ids).values_list("id", flat=True))
    return sorted(set(ids) - known)


def changed_answer(changed: int, ids: Sequence[int]) -> Response:
    """The answer to a change of many people."""
    return Response({"changed": changed, "unknown": unknown_of(ids)})


def checked(form_class: type[Input], data: Any) -> dict[str, Any]:
    """The checked fields of a request."""
    form = form_class(data=data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
