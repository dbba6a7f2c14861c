"""The OpenAPI document is valid, and says everything about every operation."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from apps.api.schema import document
from tests.api.addresses import ADDRESSES

METHODS = ("get", "post", "patch", "delete")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return document()


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


def test_the_document_is_valid_and_was_made_without_a_warning() -> None:
    GENERATOR_STATS.enable_trace_lineno()
    with GENERATOR_STATS.silence():
        found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        assert not GENERATOR_STATS._warn_cache
        assert not GENERATOR_STATS._error_cache
    validate_schema(found)  # type: ignore[no-untyped-call]


def test_it_has_every_address_and_method_of_the_api(schema: dict[str, Any]) -> None:
    wanted = sum(scope is not None for address in ADDRESSES.values() for scope in address.methods().values())
    assert sum(1 for _ in operations(schema)) == wanted + 1  # where the API begins needs no scope


def test_every_operation_has_an_id_words_a_key_and_its_refusals(schema: dict[str, Any]) -> None:
    ids = set()
    for path, method, operation in operations(schema):
        ids.add(operation["operationId"])
        assert operation["summary"], path
        assert operation["tags"], path
        assert operation["security"] == [{"ApiKey": []}], path
        expected = {"400", "401", "403", "429", "503"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"409", "413", "415"} if method != "get" else set()
        assert expected <= operation["responses"].keys(), path
        for status, response in operation["responses"].items():
            assert response["description"], path
            if int(status) >= 400:
                assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
        assert any(int(status) < 300 for status in operation["responses"]), path
        if "{" not in path or method == "get":
            continue
        assert "Needs the scope" in operation["description"], path
    assert len(ids) == sum(1 for _ in operations(schema))


def test_every_parameter_and_field_is_described(schema: dict[str, Any]) -> None:
    without = [
        f"{path} {parameter['name']}"
        for path, _, operation in operations(schema)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    for name, component in schema["components"]["schemas"].items():
        if "properties" in component:
            assert component.get("description"), name
            without += [
                f"{name}.{field}" for field, its in component["properties"].items() if not its.get("description")
            ]
    assert without == []


def test_every_post_may_carry_an_idempotency_key_and_every_change_a_version(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("Idempotency-Key" in names) == (method == "post"), path
        assert ("If-Match" in names) == (
            method == "patch" and path.split("/")[3] in {"people", "companies", "records"}
        ), path


def test_what_makes_something_has_an_example(schema: dict[str, Any]) -> None:
    for path, _, operation in operations(schema):
        if "201" in operation["responses"]:
            assert operation["requestBody"]["content"]["application/json"].get("examples"), path


def test_inputs_take_nothing_that_they_do_not_name(schema: dict[str, Any]) -> None:
    inputs = [one for name, one in schema["components"]["schemas"].items() if name.endswith("Input")]
    assert len(inputs) > 10
    assert all(one["additionalProperties"] is False for one in inputs)
