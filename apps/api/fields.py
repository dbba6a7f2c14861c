"""Fields that take what the schema says and nothing near it."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.domain.values import Unreadable, number_text

AnyField = serializers.Field[Any, Any, Any, Any]

LARGEST_ID = 2**63 - 1
MOST_WHOLE = 10**18 - 1
LARGEST_INTEGER = 2**31 - 1
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_AMOUNT = re.compile(r"-?\d{1,18}(\.\d{1,6})?")


class Text(serializers.CharField):
    """Text; a number is none."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_text": "This has to be text."}

    def __init__(self, **options: Any) -> None:
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("no_text")
        return super().run_validation(data)


class Email(serializers.EmailField):
    """An e-mail address; "" is none."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_text": "This has to be text."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("no_text")
        return super().run_validation(data)


class Whole(serializers.IntegerField):
    """A whole number; "3", 3.5 and true are none."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_number": "This has to be a whole number, such as 250."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("no_number")
        return data


class Id(Whole):
    """The id of one of the account's things."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID} | options)


class Flag(serializers.BooleanField):
    """true or false, and no other word for them."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_flag": "This has to be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("no_flag")
        return data


class Choice(serializers.ChoiceField):
    """One of some words, as text."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:40])
        return super().to_internal_value(data)


class Day(serializers.DateField):
    """A day: 2026-01-31."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DAY.fullmatch(value) or not value.isascii():
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class Moment(serializers.DateTimeField):
    """A moment with its zone: 2026-01-31T14:30:00Z (RFC 3339)."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value) or not value.isascii():
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        return super().to_internal_value(value)


@extend_schema_field({"type": "string", "pattern": r"^-?\d{1,18}(\.\d{1,6})?$"})
class Amount(AnyField):
    """A decimal number as text, so that no digit is lost."""

    def to_representation(self, value: Any) -> str:
        return number_text(str(value))

    def to_internal_value(self, data: Any) -> NoReturn:
        raise NotImplementedError("an answer's field")


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": r"^-?\d{1,18}(\.\d{1,6})?$"},
            {"type": "number", "minimum": -MOST_WHOLE, "maximum": MOST_WHOLE},
        ]
    }
)
class AmountInput(AnyField):
    """A decimal number, as text or as a number."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_amount": "This has to be a number, such as 1250.50."}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("no_amount")
        if isinstance(data, str) and not (_AMOUNT.fullmatch(data) and data.isascii()):
            self.fail("no_amount")
        try:
            return number_text(str(data))
        except Unreadable:
            self.fail("no_amount")

    def to_representation(self, value: Any) -> NoReturn:
        raise NotImplementedError("a request's field")


class QueryFlag(serializers.ChoiceField):
    """true or false in an address."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["true", "false"], **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == "true"


class QueryId(serializers.IntegerField):
    """An id in an address."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_id": "This has to be an id, such as 12."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID} | options)

    def to_internal_value(self, data: Any) -> int:
        if not (isinstance(data, str) and data.isascii() and data.isdecimal() and len(data) < 20):
            self.fail("no_id")
        return int(data)


class Input(serializers.Serializer[Any]):
    """What a request may hold, and nothing else: a name that is not known is told, not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError({str(name)[:120]: ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)


class Output(serializers.Serializer[Any]):
    """What an answer holds."""
