"""The addresses at which services of one's own ask: POST /authorize, and forward authentication for their proxies."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from access.explaining import Reader
from access.gate import PrincipalGate
from access.models import RouteTable
from access.origin import origin_of
from access.principals import ExpiredToken
from access.route_tables import find_by_token, routes_of
from access.routes import AmbiguousPath, match
from api import forwarded, minio_plugin
from api.authentication import authenticate
from api.errors import refusal_for
from api.json_replies import refused, reply
from api.service_decisions import Answer, Decider, described, origin_for, record_refused_answer, result
from api.service_questions import Question, read
from api.sigv4 import SignatureError, parse
from api.views import wire_request
from api.wire import WireRequest
from audit.actions import public
from audit.errors import AccessDenied, denial_message
from audit.principal import Origin, Principal
from audit.services import record

ACTION = "iam:Authorize"
ENVOY_PREFIX = b"/authorize/envoy"


@csrf_exempt  # No cookie is read here: the service proves itself by its own signature.
@public("a service signs the question; the gate is asked whether it may ask")
def authorize(request: HttpRequest) -> HttpResponse:
    """POST /authorize: one question, or a batch."""
    origin = _origin(request)
    try:
        return _authorized(wire_request(request), origin)
    except Exception as error:
        refusal = refusal_for(error, origin.request_id)
        return _refused(refusal.status, refusal.code, refusal.message, origin)


def _authorized(wire: WireRequest, origin: Origin) -> HttpResponse:
    gate = authenticate(parse(wire, frozenset({"iam"})), origin)
    try:
        gate.require(ACTION, "*")
    except AccessDenied as error:
        record_refused_answer(gate, Question(wire, "iam", ACTION, "*"), error.decision)
        raise
    questions, batch = read(wire.body)
    answered = _answered(gate.principal, questions, batch)
    reader = _reader(answered, gate)
    results = [result(question, answer, reader) for question, answer in answered]
    return reply({"Results": results} if batch else results[0], origin)


def _answered(service: Principal, questions: list[Question], batch: bool) -> list[tuple[Question, Answer]]:
    """Denials are recorded one by one; a batch, which lists what may be shown, is one event with their number."""
    deciders: dict[tuple[str, ...], Decider] = {}
    answers = []
    for question in questions:
        address = question.context.get("aws:SourceIp", ())[:1]
        if address not in deciders:
            deciders[address] = Decider(service.account_id, origin_for(service.origin, address="".join(address)))
        answers.append((question, deciders[address].answer(question)))
    denied = [(question, answer) for question, answer in answers if answer.principal and not answer.allowed]
    if batch:
        record(service, ACTION, "*", asked=len(answers), denied=len(denied))
    else:
        for question, answer in denied:
            assert answer.principal and answer.decision  # noqa: S101 # for the type checker: chosen above
            record_refused_answer(PrincipalGate(answer.principal), question, answer.decision, asked_by=service.arn)
    return answers


def _reader(answered: Iterable[tuple[Question, Answer]], gate: PrincipalGate) -> Reader:
    """The service, as somebody who reads the explanations that it asked for."""
    reader = Reader(gate, gate.principal.account_id)
    explained = [(answer.explanation, answer.about) for _, answer in answered if answer.explanation is not None]
    reader.look_up_several((explanation for explanation, _ in explained), (about for _, about in explained))
    return reader


@csrf_exempt  # No cookie is read here: the proxy proves itself by its token.
@public("a proxy proves itself by its route table's token; the gate decides for whoever signed")
def authorize_forward(request: HttpRequest) -> HttpResponse:
    """For nginx, Caddy and Traefik."""
    return _forward(request, forwarded.from_headers)


@csrf_exempt  # No cookie is read here: the proxy proves itself by its token.
@public("a proxy proves itself by its route table's token; the gate decides for whoever signed")
def authorize_envoy(request: HttpRequest, path: str) -> HttpResponse:
    """For Envoy's ext_authz over HTTP, which asks with the request's own method and path."""
    return _forward(request, lambda wire: forwarded.below_prefix(wire, ENVOY_PREFIX))


def _forward(request: HttpRequest, rebuild: Any) -> HttpResponse:
    origin = _origin(request)
    try:
        wire = wire_request(request)
        table = find_by_token(wire.header(forwarded.TOKEN) or "")
        if table is None:
            return _refused(403, "InvalidRouteTableToken", "The proxy's X-Iam-Token is missing or unknown.", origin)
        return _decided(rebuild(wire), wire, table, origin)
    except (SignatureError, ExpiredToken) as error:
        return _refused(401, error.code, error.message, origin)
    except (forwarded.Unreadable, AmbiguousPath) as error:
        return _refused(403, "UnreadableRequest", str(error), origin)
    except Exception as error:
        refusal = refusal_for(error, origin.request_id)
        return _refused(refusal.status, refusal.code, refusal.message, origin)


def _decided(asked: WireRequest, wire: WireRequest, table: RouteTable, origin: Origin) -> HttpResponse:
    """Who it is comes before what they want: a stranger learns nothing of the routes."""
    caller = origin_for(
        origin,
        address=forwarded.client_address(wire, settings.TRUSTED_PROXY_COUNT),
        user_agent=wire.header("user-agent") or "",
        secure=wire.header("x-forwarded-proto") == "https",
    )
    question = Question(asked, table.signing_name)
    decider = Decider(table.account_id, caller)
    principal = decider.who(question)
    host, path = asked.header("host") or "", asked.path.decode("latin-1")
    routed = match(routes_of(table), method=asked.method, host=host, path=path, account_id=table.account_id)
    if routed is None:
        return _refused(403, "NoRoute", f"No route of {table.name} fits {asked.method} {path[:200]}.", origin)
    question = replace(question, action=routed.action, resource=routed.resource)
    answer = decider.answer(question)
    assert answer.decision  # noqa: S101 # for the type checker: proven above
    if not answer.allowed:
        record_refused_answer(decider.gate_of(principal), question, answer.decision, route_table=table.name)
        message = denial_message(principal.arn, routed.action, routed.resource, answer.decision)
        return _refused(403, "AccessDenied", message, origin)
    headers = {f"X-Iam-{_hyphenated(name)}": value for name, value in described(principal).items()}
    # Nobody has looked at the body here: this is what the service may compare it with.
    headers["X-Iam-Content-Sha256"] = asked.body_hash
    return reply({}, origin, headers=headers)


def _hyphenated(name: str) -> str:
    return {"UserId": "User-Id", "AccessKeyId": "Access-Key-Id"}.get(name, name)


@csrf_exempt  # No cookie is read here: MinIO proves itself by its token.
@public("MinIO proves itself by a route table's token; the gate decides for the account that it names")
def authorize_minio(request: HttpRequest) -> HttpResponse:
    """MinIO's access management plugin: only the answer's body counts, so whatever goes wrong is a no."""
    origin = _origin(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    table = find_by_token(token) if scheme == "Bearer" else None
    if table is None:
        return _refused(403, "InvalidRouteTableToken", "MinIO's token is missing or unknown.", origin)
    try:
        allowed = minio_plugin.decide(request.body, table.account_id, origin)
    except Exception as error:
        refusal = refusal_for(error, origin.request_id)
        return _refused(refusal.status, refusal.code, refusal.message, origin)
    return reply({"result": allowed}, origin)


def _origin(request: HttpRequest) -> Origin:
    request.origin = origin = origin_of(request, "api")  # type: ignore[attr-defined] # as the guard does for pages
    return origin


def _refused(status: int, code: str, message: str, origin: Origin) -> HttpResponse:
    headers = {"WWW-Authenticate": "AWS4-HMAC-SHA256"} if status == 401 else {}
    return refused(status, code, message, origin, headers=headers)
