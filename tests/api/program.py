"""A program without a network: botocore writes and signs the call, Django's test client carries it, botocore reads
the answer."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer
from django.http import HttpResponse
from django.test import Client

FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Refused(AssertionError):
    """The error that an SDK would raise."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


def xml(body: bytes | str) -> ElementTree.Element:
    return ElementTree.fromstring(body)  # noqa: S314 - the server's own answer


@cache
def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@dataclass(frozen=True)
class Program:
    """One access key, calling one operation after another."""

    access_key_id: str
    secret: str
    token: str | None = None
    region: str = "us-east-1"
    address: str = "127.0.0.1"

    def call(self, service: str, operation_name: str, /, **inputs: Any) -> Any:
        """The parsed answer; raises Refused for an error."""
        form = self.form(service, operation_name, **inputs)
        return self.read(service, operation_name, self.post(service, form))

    def form(self, service: str, operation_name: str, /, **inputs: Any) -> str:
        """The body of a call, as an SDK writes it."""
        operation = model(service).operation_model(operation_name)
        return urlencode(QuerySerializer().serialize_to_request(inputs, operation)["body"])

    def read(self, service: str, operation_name: str, response: HttpResponse) -> Any:
        """The parsed answer; raises Refused for an error."""
        return self._read(response, model(service).operation_model(operation_name).output_shape)

    def iam(self, operation_name: str, /, **inputs: Any) -> Any:
        return self.call("iam", operation_name, **inputs)

    def sts(self, operation_name: str, /, **inputs: Any) -> Any:
        return self.call("sts", operation_name, **inputs)

    def post(self, service: str, body: str, **headers: str) -> Any:
        """Sign a form and send it; the answer as it comes over the wire."""
        return self.send(self.signed(service, body, **headers), body)

    def signed(self, service: str, body: str, **headers: str) -> dict[str, str]:
        """The headers of a signed call."""
        headers = {"Content-Type": FORM, **headers}
        request = AWSRequest("POST", "http://testserver/", data=body.encode(), headers=headers)
        SigV4Auth(Credentials(self.access_key_id, self.secret, self.token), service, self.region).add_auth(request)
        return {**dict(request.headers.items()), "Host": "testserver"}

    def send(self, headers: dict[str, str], body: str) -> Any:
        sent = {name: value for name, value in headers.items() if name != "Content-Type"}
        content_type = headers["Content-Type"]
        return Client().post("/", body.encode(), content_type=content_type, headers=sent, REMOTE_ADDR=self.address)

    def _read(self, response: HttpResponse, shape: Any) -> Any:
        parsed = QueryParser().parse(
            {"body": response.content, "headers": dict(response.headers), "status_code": response.status_code}, shape
        )
        if response.status_code != 200:
            raise Refused(response.status_code, parsed["Error"]["Code"], parsed["Error"]["Message"])
        return parsed
