"""Pages by cursor: a page begins after a row, so that none is missed or seen twice while others arrive."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.errors import invalid
from apps.api.fields import Input, Output
from apps.core.paging import Order, is_cursor, page_of

Row = TypeVar("Row", bound=Model)
DEFAULT_SIZE, LARGEST_SIZE = 50, 200


class PageQuery(Input):
    """Which page of a list."""

    cursor = serializers.CharField(
        required=False,
        max_length=4000,
        help_text="`next_cursor` of the page before; left out, the first page.",
    )
    limit = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_SIZE,
        default=DEFAULT_SIZE,
        help_text=f"How many rows a page holds: 1 to {LARGEST_SIZE}.",
    )


def asked(query: type[Input], request: Request) -> dict[str, Any]:
    """The checked filters of an address."""
    form = query(data=request.query_params.dict())
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def page_answer(
    rows: "QuerySet[Row]", *, order: Order, wanted: dict[str, Any], show: Callable[[Sequence[Row]], Any]
) -> Response:
    """A page of rows, and the cursor of the next one (null: this was the last)."""
    cursor = wanted.get("cursor", "")
    if cursor and not is_cursor(cursor, order):
        raise invalid({"cursor": "This is no cursor of this list."})
    page = page_of(rows, order=order, cursor=cursor, size=wanted["limit"], wraps=False)
    return Response({"results": show(page.rows), "next_cursor": page.next or None})


def page_output(child: type[Output]) -> type[Output]:
    """The serializer of a page of ``child``, for the schema."""
    members = {
        "__doc__": "A page of a list.",
        "results": child(many=True, help_text="The rows of this page."),
        "next_cursor": serializers.CharField(allow_null=True, help_text="Cursor of the next page; null on the last."),
    }
    return type(f"{child.__name__.removesuffix('Output')}PageOutput", (Output,), members)
