"""The OpenAPI document, and a page that shows it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.api.schema import document


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The document, for programs; those of any page may read it, since it is public."""
    answer = JsonResponse(document(), json_dumps_params={"ensure_ascii": False})
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document, for people: Swagger UI, served from here, under the same policy as every other page."""
    return render(request, "api/docs.html")
