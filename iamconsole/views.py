"""Pages of the whole site: health, and what is shown when something went wrong."""

import logging
import uuid

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from api.views import is_astray, refuse
from audit.actions import public
from iamconsole.middleware import plain_page
from identities.sealed import box

logger = logging.getLogger("iamconsole")


@public("a balancer asks whether the process lives; says nothing else")
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@public("a balancer asks whether requests can be served; names only which part is not ready")
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        problem = "migrations" if waiting else ""
        box()
    except DatabaseError:
        problem = "database"
    except ValueError:
        problem = "keys"
    return JsonResponse({"status": problem or "ok"}, status=503 if problem else 200)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return plain_page(
        request,
        403,
        "This form is not valid any more",
        "It was opened before you signed in, signed out or switched roles, or your browser kept no cookie. "
        "Go back, reload the page and send it again.",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_page(request, 400, "That request can't be read", "Check the address and try again.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A program that was pointed to a wrong address reads what it understands."""
    if request.resolver_match is None and is_astray(request):
        return refuse(request, 404, "There is nothing here. Calls are sent to the endpoint's own address, with path /.")
    return plain_page(request, 404, "There is nothing here", "The page does not exist, or what it showed was removed.")


def server_error(request: HttpRequest) -> HttpResponse:
    """The id leads whoever runs the console from what a person saw to the log, where the trace stands above it."""
    origin = getattr(request, "origin", None)
    request_id = origin.request_id if origin else str(uuid.uuid4())
    logger.error("The request %s failed.", request_id)
    said = f"Try again in a moment. Whoever runs the console finds it in the server's log as {request_id}."
    return plain_page(request, 500, "Something went wrong here", said)
