"""Every operation of both models, through botocore's own serialiser and parser and ours."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer

from api import query, serialize, shapes
from audit.errors import ValidationError
from tests.api.samples import sample

OPERATIONS = [
    shapes.operation(service, name) for service in shapes.SERVICES for name in shapes.operation_names(service)
]
MODELS = {name: ServiceModel(Loader().load_service_model(name, "service-2"), name) for name in shapes.SERVICES}

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.action)


def model_of(operation: shapes.Operation) -> OperationModel:
    return MODELS[operation.service].operation_model(operation.name)


def test_it_knows_every_operation_of_both_models() -> None:
    assert len(OPERATIONS) == sum(len(model.operation_names) for model in MODELS.values()) == 191


@every_operation
def test_it_reads_what_botocore_writes(operation: shapes.Operation) -> None:
    values = sample(operation.input)
    assert isinstance(values, dict)
    sent = QuerySerializer().serialize_to_request(values, model_of(operation))["body"]
    table = query.parameters(urlencode(sent).encode())
    assert (table["Action"], table["Version"]) == (operation.name, operation.version)
    assert query.read_input(operation, table) == values


@every_operation
def test_botocore_reads_what_it_writes(operation: shapes.Operation) -> None:
    values = sample(operation.output) if operation.output else {}
    assert isinstance(values, dict)
    body = serialize.result(operation, values, "request-1").encode()
    shape: Any = model_of(operation).output_shape
    parsed = QueryParser().parse({"body": body, "headers": {}, "status_code": 200}, shape)
    assert parsed.pop("ResponseMetadata")["RequestId"] == "request-1"
    assert parsed == values


@every_operation
def test_it_names_every_required_parameter_that_is_missing(operation: shapes.Operation) -> None:
    required = operation.input.required
    if not required:
        assert query.read_input(operation, {}) == {}
        return
    with pytest.raises(ValidationError) as refusal:
        query.read_input(operation, {})
    named = re.findall(
        r"Value(?: null)? at '(\w+)' failed to satisfy constraint: Member must not be null", str(refusal.value)
    )
    assert {name.lower() for name in named} == {name.lower() for name in required}
