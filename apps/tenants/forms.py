"""Forms of sign-up and members."""

from django import forms


class SignupForm(forms.Form):
    """Asks for the company's name beside e-mail and password."""

    company_name = forms.CharField(label="Company name", max_length=120)
