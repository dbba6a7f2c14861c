"""What people, companies and opportunities have in common at the API: their fields, typed, from the registry."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api import fields
from apps.api.fields import AnyField, Input, Output
from apps.audience.fields import CUSTOM_PREFIX, FIELDS, LONGEST_TEXT, Kind, LocalField
from apps.audience.models import Record
from apps.audience.services.values import fields_of
from apps.domain.values import number_text

ORIGIN = "api"
LONGEST_KEY = 120
_JSON_VALUE = {
    "oneOf": [
        {"type": "string"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}},
    ],
    "nullable": True,
}
_CUSTOM = {"type": "object", "additionalProperties": _JSON_VALUE}


@extend_schema_field(_CUSTOM)
class CustomInput(serializers.DictField):
    """Custom values by key; each is checked by its definition once the account is known."""


class SalesforceOutput(Output):
    """The row in Salesforce that a record exchanges values with."""

    object = serializers.CharField(help_text="The sObject, such as Lead or Contact.")
    id = serializers.CharField(help_text="The id of the row in Salesforce, 18 characters.")


class RecordOutput(Output):
    """What every record has."""

    record_type: ClassVar[str] = ""
    _known: dict[str, LocalField] | None = None

    id = serializers.IntegerField(help_text="The record's id. It never changes.")
    version = serializers.IntegerField(help_text="Grows with each change; send it back with an update.")
    is_active = serializers.BooleanField(help_text="false once it was deactivated here, or deleted in Salesforce.")
    source = serializers.CharField(  # type: ignore[assignment]  # the name is the API's
        help_text="Where it came from first: salesforce, form, import, api or manual."
    )
    external_key = serializers.CharField(help_text="What your own systems call it; blank for nothing.")
    created_at = serializers.DateTimeField(help_text="When it was made here.")
    updated_at = serializers.DateTimeField(help_text="When it was last changed here.")
    custom = serializers.SerializerMethodField(help_text="Custom fields by key, typed by their definitions.")
    salesforce = serializers.SerializerMethodField(help_text="Its row in Salesforce; null for none.")

    def get_fields(self) -> dict[str, AnyField]:
        return {**super().get_fields(), **output_fields(self.record_type)}

    @extend_schema_field(_CUSTOM)
    def get_custom(self, record: Record) -> dict[str, Any]:
        if self._known is None:
            self._known = self.definitions_of(record)
        return custom_values(record, self._known)

    def definitions_of(self, record: Record) -> dict[str, LocalField]:
        """The fields of such a record; those of one answer are all of one type."""
        return fields_of(self.record_type)

    @extend_schema_field(SalesforceOutput(allow_null=True))
    def get_salesforce(self, record: Record) -> dict[str, str] | None:
        if not record.is_linked:
            return None
        return {"object": record.leading_sobject, "id": record.leading_remote_id}


class RecordInput(Input):
    """What makes or changes a record."""

    record_type: ClassVar[str] = ""

    external_key = fields.Text(
        required=False,
        allow_blank=True,
        max_length=LONGEST_KEY,
        help_text="What your own systems call it. Unique in the account; blank for nothing.",
    )
    custom = CustomInput(required=False, help_text="Custom fields by key; null clears one, what is left out stays.")

    def get_fields(self) -> dict[str, AnyField]:
        return {**super().get_fields(), **input_fields(self.record_type)}

    def texts(self, local_type: str = "") -> dict[str, str]:
        """The values as the services take them: text by field; ``local_type`` where the class knows only its kind."""
        given = dict(self.validated_data)
        given.pop("external_key", None)
        given.pop("version", None)
        custom = given.pop("custom", {})
        return {name: plain(value) for name, value in given.items()} | custom_texts(
            local_type or self.record_type, custom
        )


class VersionInput(Input):
    """On which version a change is based."""

    version = fields.Id(
        required=False,
        help_text="The version that you have seen: where the record has moved since, you get 409 and nothing changes.",
    )


def input_fields(record_type: str) -> dict[str, AnyField]:
    """Fields of a request that makes or changes a record."""
    return {name: input_field(target) for name, target in FIELDS[record_type].items()}


def output_fields(record_type: str) -> dict[str, AnyField]:
    """Fields of an answer about a record."""
    return {name: output_field(target) for name, target in FIELDS[record_type].items()}


def input_field(target: LocalField) -> AnyField:
    """The field of a request that takes a value for a local field."""
    options: dict[str, Any] = {"required": False, "help_text": help_of(target)}
    if target.kind is Kind.EMAIL:
        return fields.Email(allow_blank=True, max_length=254, **options)
    if target.kind is Kind.INTEGER:
        most = fields.MOST_WHOLE
        return fields.Whole(allow_null=True, min_value=-most, max_value=most, **options)
    if target.kind is Kind.DECIMAL:
        return fields.AmountInput(allow_null=True, **options)
    if target.kind is Kind.DATE:
        return fields.Day(allow_null=True, **options)
    if target.kind is Kind.REFERENCE:
        return fields.Id(allow_null=True, **options)
    if target.kind is Kind.BOOLEAN:
        return fields.Flag(allow_null=True, **options)
    if target.kind is Kind.MULTIPICKLIST:
        return serializers.ListField(child=fields.Text(), allow_empty=True, **options)
    return fields.Text(allow_blank=True, max_length=LONGEST_TEXT, **options)


def output_field(target: LocalField) -> AnyField:
    """The field of an answer that holds a local field's value."""
    words = help_of(target)
    if target.kind is Kind.INTEGER:
        return serializers.IntegerField(allow_null=True, help_text=words)
    if target.kind is Kind.DECIMAL:
        return fields.Amount(allow_null=True, help_text=words)
    if target.kind is Kind.DATE:
        return serializers.DateField(allow_null=True, help_text=words)
    if target.kind is Kind.BOOLEAN:
        return serializers.BooleanField(help_text=words)
    if target.kind is Kind.REFERENCE:
        return serializers.IntegerField(allow_null=True, source=target.column, help_text=words)
    return serializers.CharField(help_text=words)


def help_of(target: LocalField) -> str:
    """What a field is, for the schema."""
    if target.kind is Kind.REFERENCE:
        return f"Id of the {target.label.lower()}; null for none."
    if target.kind is Kind.DATE:
        return f"{target.label}, as 2026-01-31; null for none."
    if target.kind is Kind.EMAIL:
        return f"{target.label} address, kept in lower case and unique in the account; blank for none."
    if target.kind in {Kind.INTEGER, Kind.DECIMAL}:
        return f"{target.label}; null for none."
    if target.kind is Kind.BOOLEAN:
        return f"{target.label}: true or false."
    return f"{target.label}; blank for none."


def plain(value: Any) -> str:
    """A value as text; null clears a field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ";".join(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def custom_texts(
    record_type: str, given: Mapping[str, Any], known: Mapping[str, LocalField] | None = None
) -> dict[str, str]:
    """Custom values of a request as the services take them; a value of another type than its field's is refused."""
    known = known or (fields_of(record_type) if given else {})
    texts: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for key, value in given.items():
        target = known.get(CUSTOM_PREFIX + key)
        if target is None:
            errors[key[:LONGEST_KEY]] = ["There is no such custom field."]
            continue
        try:
            texts[target.name] = "" if value is None else plain(input_field(target).run_validation(value))
        except serializers.ValidationError as error:
            errors[key] = [str(word) for word in error.detail]
    if errors:
        raise serializers.ValidationError({"custom": errors})
    return texts


def custom_values(record: Record, known: Mapping[str, LocalField]) -> dict[str, Any]:
    """A record's custom values, each in the JSON type of its field; blank ones are null."""
    own = {name.removeprefix(CUSTOM_PREFIX): one for name, one in known.items() if name.startswith(CUSTOM_PREFIX)}
    return {key: typed(target, str(record.custom.get(key, ""))) for key, target in own.items()}


def typed(target: LocalField, text: str) -> Any:
    """The canonical text of a custom field as a JSON value."""
    if not text:
        return None
    if target.kind is Kind.INTEGER:
        return int(Decimal(number_text(text)))
    if target.kind is Kind.BOOLEAN:
        return text == "true"
    return text.split(";") if target.kind is Kind.MULTIPICKLIST else text
