"""People."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.audience.models.companies import Company
from apps.audience.models.record import Record
from apps.tenants.models import TenantModel


class Person(Record):
    """One human being, whatever they are in the CRM. E-mail is unique in a tenant where there is one.

    The ``*_key`` columns are lower-case copies in collation "C": row-level security lets PostgreSQL use an index
    only for leakproof operators, and equality, ranges and ``^@`` on such columns are.
    """

    email = models.CharField(max_length=254, blank=True, default="", db_default="")
    first_name = models.TextField(blank=True, default="", db_default="")
    last_name = models.TextField(blank=True, default="", db_default="")
    salutation = models.TextField(blank=True, default="", db_default="")
    title = models.TextField(blank=True, default="", db_default="")
    department = models.TextField(blank=True, default="", db_default="")
    company_name = models.TextField(blank=True, default="", db_default="")
    phone = models.TextField(blank=True, default="", db_default="")
    mobile_phone = models.TextField(blank=True, default="", db_default="")
    fax = models.TextField(blank=True, default="", db_default="")
    website = models.TextField(blank=True, default="", db_default="")
    street = models.TextField(blank=True, default="", db_default="")
    city = models.TextField(blank=True, default="", db_default="")
    state = models.TextField(blank=True, default="", db_default="")
    postal_code = models.TextField(blank=True, default="", db_default="")
    country = models.TextField(blank=True, default="", db_default="")
    industry = models.TextField(blank=True, default="", db_default="")
    lead_source = models.TextField(blank=True, default="", db_default="")
    lead_status = models.TextField(blank=True, default="", db_default="")
    rating = models.TextField(blank=True, default="", db_default="")
    description = models.TextField(blank=True, default="", db_default="")
    employees = models.BigIntegerField(null=True, blank=True)
    annual_revenue = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    birthdate = models.DateField(null=True, blank=True)
    score = models.IntegerField(default=0, db_default=0)
    email_opt_out = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Unsubscribed on either side; only their own act undoes it.",
    )
    email_bounced = models.BooleanField(default=False, db_default=False, help_text="Hard: mail never arrives there.")
    most_recent_visit = models.DateTimeField(null=True)
    first_touch_at = models.DateTimeField(null=True)
    first_touch_channel = models.TextField(blank=True, default="", db_default="")
    first_touch_source = models.TextField(blank=True, default="", db_default="")
    last_touch_at = models.DateTimeField(null=True)
    last_touch_channel = models.TextField(blank=True, default="", db_default="")
    last_touch_source = models.TextField(blank=True, default="", db_default="")
    sequence_status = models.TextField(blank=True, default="", db_default="", help_text="Of the latest enrolment.")
    inbox_state = models.TextField(blank=True, default="", db_default="", help_text="What the last reply was.")
    company = models.ForeignKey(
        Company,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="people",
    )
    email_key = models.GeneratedField(
        expression=Lower("email"),
        output_field=models.CharField(max_length=254, db_collation="C"),
        db_persist=True,
    )
    first_key = models.GeneratedField(
        expression=Lower("first_name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    last_key = models.GeneratedField(
        expression=Lower("last_name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    company_key = models.GeneratedField(
        expression=Lower("company_name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        constraints = [
            # Serves matching by e-mail, too.
            models.UniqueConstraint(
                fields=["tenant", "email_key"],
                condition=~Q(email_key=""),
                name="person_email_once",
            ),
            models.UniqueConstraint(
                fields=["tenant", "external_key"], condition=~Q(external_key=""), name="person_external_key_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "last_key", "id"], name="person_by_last_name"),
            models.Index(fields=["tenant", "first_key"], name="person_by_first_name"),
            models.Index(fields=["tenant", "company_key"], name="person_by_company_name"),
            # Partial ones cost a sync nothing for the rows they leave out.
            models.Index(
                fields=["tenant", "company"],
                condition=Q(company__isnull=False),
                name="person_of_company",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(is_active=False),
                name="person_inactive",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(leading_sobject=""),
                name="person_unlinked",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(email_opt_out=True),
                name="person_opted_out",
            ),
            # Contacts are pulled before leads, so a page of the newest contacts lies far from the newest people.
            models.Index(
                fields=["tenant", "id"],
                condition=Q(leading_sobject="Contact"),
                name="person_is_contact",
            ),
            models.Index(
                fields=["tenant", "source", "id"],
                condition=~Q(source="salesforce"),
                name="person_of_other_source",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or "No name"


class PersonWord(TenantModel):
    """The words of a name after its first, so that "Maria" finds "Ana Maria": (word, person)."""

    pk = models.CompositePrimaryKey("tenant", "word", "person_id")
    word = models.TextField(db_collation="C")
    person_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.word} → {self.person_id}"
