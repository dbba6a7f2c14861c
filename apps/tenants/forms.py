"""Forms of sign-up and members."""

from django import forms
from django.http import HttpRequest

from apps.tenants.models import User
from apps.tenants.roles import Role
from apps.tenants.services.tenants import create_tenant


class SignupForm(forms.Form):
    """Asks for the company's name beside e-mail and password; django-allauth calls ``signup``."""

    company_name = forms.CharField(
        label="Company name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Make the tenant, unless the signer comes by an invitation and joins another."""
        tenant = create_tenant(name=self.cleaned_data["company_name"], owner=user)
        request.session["tenant_id"] = tenant.pk


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label="Email", max_length=254)
    role = forms.ChoiceField(label="Role", choices=[(r.value, r.label) for r in Role], initial=Role.MARKETER)


class RoleForm(forms.Form):
    """A member's role."""

    role = forms.ChoiceField(label="Role", choices=[(r.value, r.label) for r in Role])


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's form takes no parameters at run time
    """One's own name."""

    class Meta:
        model = User
        fields = ["name"]
        labels = {"name": "Your name"}


class TenantForm(forms.Form):
    """Another account."""

    name = forms.CharField(label="Company name", max_length=120)


class AuditFilterForm(forms.Form):
    """What is looked for in the audit log."""

    who = forms.CharField(label="Who", required=False, max_length=254, widget=forms.SearchInput)
    what = forms.CharField(label="What", required=False, max_length=120)
