"""What each kind of event adds to the score."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps.audience.models import RECEIVED_KINDS
from apps.audience.services.scores import DEFAULT_POINTS, LARGEST_POINTS, points_by_kind, save_points
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right


class PointsForm(forms.Form):
    """A whole number for each kind of event."""

    def __init__(self, data: Any = None, *, points: dict[str, int]) -> None:
        super().__init__(data)
        for kind in RECEIVED_KINDS:
            default = DEFAULT_POINTS[kind]
            self.fields[kind.value] = forms.IntegerField(
                label=kind.label,
                initial=points[kind],
                min_value=-LARGEST_POINTS,
                max_value=LARGEST_POINTS,
                help_text=f"{default:+d} unless changed" if default else "0 unless changed",
            )


@member_page(Right.VIEW)
def scores(request: MemberRequest) -> HttpResponse:
    """Show the points, and save them; whoever may not change them can still read them."""
    may_edit = request.membership.may(Right.EDIT_MAPPINGS)
    form = PointsForm(request.POST if request.method == "POST" else None, points=points_by_kind())
    if request.method == "POST":
        if not may_edit:
            raise PermissionDenied("Your role does not allow this.")
        if form.is_valid():
            save_points(points=form.cleaned_data, user=request.user)
            messages.success(request, "The points are saved. They count for what happens from now on.")
            return redirect("console:scores")
    context = {"form": form, "may_edit": may_edit}
    return render(request, "console/scores/scores.html", context, status=422 if form.errors else 200)
