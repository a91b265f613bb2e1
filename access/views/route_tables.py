from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import route_tables
from access.forms.route_tables import NewRouteTableForm, RouteTableForm, TryRouteForm
from access.models import RouteTable, route_table_arn
from access.route_trial import Trial, try_route
from accounts.confirming import TypedNameForm
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest

PAGE = 50
ACTIONS = {
    "update": "iamconsole:UpdateRouteTable",
    "token": "iamconsole:RotateRouteTableToken",
    "delete": "iamconsole:DeleteRouteTable",
}
SIMULATE = "iam:SimulatePrincipalPolicy"


@requires("iamconsole:ListRouteTables")
@require_safe
def list_route_tables(request: ConsoleRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:64]
    found = RouteTable.objects.filter(account_id=request.principal.account_id, name_key__contains=search.lower())
    context = {"page": Paginator(found.order_by("name_key"), PAGE).get_page(request.GET.get("page")), "search": search}
    return render(request, "access/list_route_tables.html" + ("#rows" if request.htmx else ""), context)


@requires("iamconsole:CreateRouteTable", creates=True)
@require_http_methods(["GET", "HEAD", "POST"])
def create_route_table(request: ConsoleRequest) -> HttpResponse:
    form = NewRouteTableForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        words = form.cleaned_data
        arn = route_table_arn(request.principal.account_id, words["name"])
        request.gate.require("iamconsole:CreateRouteTable", arn)
        try:
            table = route_tables.create_route_table(
                by=request.principal, name=words["name"], signing_name=words["signing_name"], routes=words["routes"]
            )
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The route table {table.name} is there. Give its proxy a token next.")
            return redirect("access:get-route-table", table.name)
    return render(request, "access/create_route_table.html", {"form": form})


@requires("iamconsole:GetRouteTable", "route_table", also=(*ACTIONS.values(), SIMULATE))
@require_safe
def get_route_table(request: ConsoleRequest, route_table: RouteTable) -> HttpResponse:
    """The table, and what it would make of a request that is tried out."""
    form = TryRouteForm(request.GET if "path" in request.GET else None)
    context = {
        "table": route_table,
        "routes": route_tables.routes_of(route_table),
        "form": form,
        "trial": _trial(request, form, route_table) if form.is_valid() else None,
        "may": {name: request.gate.may(action, route_table.arn).allowed for name, action in ACTIONS.items()},
    }
    return render(request, "access/get_route_table.html" + ("#trial" if request.htmx else ""), context)


def _trial(request: ConsoleRequest, form: TryRouteForm, table: RouteTable) -> Trial:
    words = form.cleaned_data
    trial = try_route(table, method=words["method"], host=words["host"], path=words["path"])
    if not words["user"] or trial.asked is None:
        return trial
    return trial.decided_for(request.principal, request.gate, words["user"], SIMULATE)


@requires("iamconsole:UpdateRouteTable", "route_table", also=("iamconsole:GetRouteTable",))
@require_http_methods(["GET", "HEAD", "POST"])
def update_route_table(request: ConsoleRequest, route_table: RouteTable) -> HttpResponse:
    request.gate.require("iamconsole:GetRouteTable", route_table.arn)
    opened = {"signing_name": route_table.signing_name, "routes": route_table.routes}
    opened["seen"] = route_tables.digest(route_table)
    form = RouteTableForm(request.POST if request.method == "POST" else None, initial=opened)
    if form.is_valid():
        words: dict[str, Any] = form.cleaned_data
        try:
            route_tables.update_route_table(by=request.principal, table=route_table, **words)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The route table {route_table.name} is saved and counts from now on.")
            return redirect("access:get-route-table", route_table.name)
    return render(request, "access/update_route_table.html", {"form": form, "table": route_table})


@requires("iamconsole:RotateRouteTableToken", "route_table")
@require_POST
@recently_signed_in
def rotate_route_table_token(request: ConsoleRequest, route_table: RouteTable) -> HttpResponse:
    token = route_tables.rotate_route_table_token(by=request.principal, table=route_table)
    return render(request, "access/route_table_token.html", {"table": route_table, "token": token})


@requires("iamconsole:DeleteRouteTable", "route_table", also=("iamconsole:GetRouteTable",))
@require_http_methods(["GET", "HEAD", "POST"])
def delete_route_table(request: ConsoleRequest, route_table: RouteTable) -> HttpResponse:
    request.gate.require("iamconsole:GetRouteTable", route_table.arn)
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=route_table.name)
    if form.is_valid():
        route_tables.delete_route_table(by=request.principal, table=route_table)
        messages.success(request, f"The route table {route_table.name} is gone, and its token with it.")
        return redirect("access:list-route-tables")
    context = {"form": form, "table": route_table, "routes": route_tables.routes_of(route_table)}
    return render(request, "access/delete_route_table.html", context)
