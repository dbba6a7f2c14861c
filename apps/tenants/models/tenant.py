"""The customer account."""

from django.db import models


class Tenant(models.Model):
    """One customer account: the owner of every row of data that carries its id."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=120, help_text="The company's name, as its members see it.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
