"""The addresses at which the program on a machine asks: joining, and the credentials of the machine's role."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from access import machines
from access.origin import origin_of
from api.errors import refusal_for
from api.json_replies import refused, reply
from audit.actions import public
from audit.errors import ServiceError
from audit.principal import Origin

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_STATUS = {
    "AssumeRoleUnauthorizedAccess": 403,
    "InvalidJoinToken": 403,
    "InvalidMachineProof": 403,
    "NoRole": 404,
    "RequestTimeTooSkewed": 403,
    "Throttling": 429,
}


@csrf_exempt  # No cookie is read here: the machine proves itself by its key and its join token.
@public("a machine proves itself by its key and by a join token that counts once")
def join_machine(request: HttpRequest) -> HttpResponse:
    return _answered(request, _joined)


def _joined(header: str, body: bytes, origin: Origin) -> dict[str, object]:
    machine = machines.join(header=header, body=body, origin=origin)
    return {"MachineId": machine.machine_id, "AccountId": machine.account_id}


@csrf_exempt  # No cookie is read here: the machine proves itself by its key.
@public("a machine signs the request with its key; the trust policy of its role decides")
def machine_credentials(request: HttpRequest) -> HttpResponse:
    return _answered(request, _credentials)


def _credentials(header: str, body: bytes, origin: Origin) -> dict[str, object]:
    given = machines.credentials(header=header, body=body, origin=origin)
    profile = given.machine.profile
    answer: dict[str, object] = {
        "AccountId": given.machine.account_id,
        "RoleId": given.role.unique_id,
        "RoleName": given.role.name,
        "InstanceProfileArn": profile.arn if profile else "",
        "InstanceProfileId": profile.unique_id if profile else "",
    }
    if given.session:
        made = given.session.credentials
        answer["Credentials"] = {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "Token": made.session_token,
            "Expiration": made.expires_at.strftime(_TIME),
            "Issued": int(made.expires_at.timestamp()) - settings.MACHINE_CREDENTIALS_SECONDS,
            "Seconds": settings.MACHINE_CREDENTIALS_SECONDS,
        }
    return answer


def _answered(request: HttpRequest, answer: Callable[[str, bytes, Origin], dict[str, object]]) -> HttpResponse:
    origin = origin_of(request, "api")
    if request.method != "POST":
        return refused(405, "MethodNotAllowed", "Send a POST request.", origin, headers={"Allow": "POST"})
    if request.content_type != "application/json":
        return refused(400, "ValidationError", "Send JSON, as application/json.", origin)
    try:
        return reply(answer(request.headers.get("Authorization", ""), request.body, origin), origin)
    except ServiceError as error:
        return refused(_STATUS.get(error.code, 400), error.code, error.message, origin)
    except Exception as error:
        refusal = refusal_for(error, origin.request_id)
        return refused(refusal.status, refusal.code, refusal.message, origin)
