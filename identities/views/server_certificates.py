"""Server certificates: list, upload, see with chain and end, rename, tag, delete. Private keys only ever come in."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tag_pages
from accounts.confirming import TypedNameForm
from accounts.models import Account
from accounts.tag_pages import TagForm
from accounts.tags import first_with_tags, request_tag_keys, resource_tag_keys, tags_of
from audit import clock
from audit.actions import recently_signed_in, requires
from audit.errors import ConcurrentModification, ServiceError
from audit.http import ConsoleRequest, require_hiding
from identities.certificate_facts import chain_of, facts_of, state_at
from identities.forms.server_certificates import UpdateServerCertificateForm, UploadServerCertificateForm
from identities.models import ServerCertificate
from identities.models.certificates import server_certificate_arn
from identities.panels import panel
from identities.public_keys import read_certificate
from identities.services import server_certificates

PAGE, ROWS = "identities:get-server-certificate", 50
SORTS = {"name": "name_key", "ends": "expires_at", "uploaded": "uploaded_at"}
GET, UPLOAD, UPDATE = "iam:GetServerCertificate", "iam:UploadServerCertificate", "iam:UpdateServerCertificate"
DELETE, TAG, UNTAG = "iam:DeleteServerCertificate", "iam:TagServerCertificate", "iam:UntagServerCertificate"


@requires("iam:ListServerCertificates")
@require_safe
def list_server_certificates(request: ConsoleRequest) -> HttpResponse:
    search, sort = request.GET.get("q", "").strip()[:128], request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in SORTS else "name"
    rows = ServerCertificate.objects.filter(
        account_id=request.principal.account_id, name_key__contains=search.lower()
    ).order_by(("-" if sort.startswith("-") else "") + SORTS[sort.removeprefix("-")], "id")
    page, now = Paginator(rows, ROWS).get_page(request.GET.get("page")), clock.now()
    shown = [{"certificate": row, "state": state_at(row.expires_at, now)} for row in page]
    context = {"page": page, "rows": shown, "search": search, "sort": sort}
    return render(request, "identities/list_server_certificates.html" + ("#rows" if request.htmx else ""), context)


@requires(UPLOAD, creates=True, also=(TAG,))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def upload_server_certificate(request: ConsoleRequest) -> HttpResponse:
    form = UploadServerCertificateForm(request.POST if request.method == "POST" else None, initial={"path": "/"})
    if form.is_valid():
        data = form.cleaned_data
        _require_birth(request, data)
        try:
            row = server_certificates.upload_server_certificate(by=request.principal, **data)
        except ServiceError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"The server certificate {row.name} is there.")
            return redirect(PAGE, row.name)
    return render(request, "identities/upload_server_certificate.html", {"form": form})


def _require_birth(request: ConsoleRequest, data: Mapping[str, Any]) -> None:
    """Tags decide what may be done with it, so only who may tag it with them makes it with them."""
    arn, tags = server_certificate_arn(request.principal.account_id, data["path"], data["name"]), data["tags"]
    request.gate.require(UPLOAD, arn, request_tag_keys(tags))
    if tags:
        request.gate.require(TAG, arn, {**request_tag_keys(tags), **resource_tag_keys(tags)})


@requires(GET, "server_certificate", also=(UPDATE, DELETE, TAG, UNTAG))
@require_safe
def get_server_certificate(request: ConsoleRequest, server_certificate: ServerCertificate) -> HttpResponse:
    return _page(request, server_certificate)


def _page(request: ConsoleRequest, row: ServerCertificate, form: TagForm | None = None) -> HttpResponse:
    tags = tags_of(row)
    context = {
        "certificate": row,
        "facts": facts_of(read_certificate(row.body)),
        "state": state_at(row.expires_at, clock.now()),
        "chain": chain_of(row.chain),
        "update": panel(request.gate, UPDATE, row.arn, resource_tag_keys(tags)),
        "delete": panel(request.gate, DELETE, row.arn, resource_tag_keys(tags)),
        "may_tag": request.gate.might(TAG),
        "may_untag": request.gate.might(UNTAG),
        **tag_pages.shown(tags, request, limit=_account(request).quota("tags"), form=form),
    }
    return render(request, "identities/get_server_certificate.html", context)


@requires(UPDATE, "server_certificate")
@require_http_methods(["GET", "HEAD", "POST"])
def update_server_certificate(request: ConsoleRequest, server_certificate: ServerCertificate) -> HttpResponse:
    row = server_certificate
    opened = {"name": row.name, "path": row.path, "opened": row.arn}
    form = UpdateServerCertificateForm(request.POST if request.method == "POST" else None, initial=opened)
    if form.is_valid():
        name, path = form.cleaned_data["name"], form.cleaned_data["path"]
        # As on the API: the certificate as it is (the guard asked), and as it would be.
        request.gate.require(
            UPDATE, server_certificate_arn(row.account_id, path, name), resource_tag_keys(tags_of(row))
        )
        try:
            if form.cleaned_data["opened"] != row.arn:
                raise ConcurrentModification("Somebody else changed it while this page was open. Open it again.")
            changed = server_certificates.update_server_certificate(
                by=request.principal, certificate=row, new_name=name, new_path=path
            )
        except ServiceError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"{row.arn} is now {changed.arn}.")
            return redirect(PAGE, changed.name)
    return render(request, "identities/update_server_certificate.html", {"form": form, "certificate": row})


@requires(DELETE, "server_certificate")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_server_certificate(request: ConsoleRequest, server_certificate: ServerCertificate) -> HttpResponse:
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=server_certificate.name)
    if form.is_valid():
        server_certificates.delete_server_certificate(by=request.principal, certificate=server_certificate)
        messages.success(request, f"The server certificate {server_certificate.name} is gone, with its private key.")
        return redirect("identities:list-server-certificates")
    context = {"form": form, "certificate": server_certificate}
    return render(request, "identities/delete_server_certificate.html", context)


# The address word comes to these two as it is (`creates`): see `accounts.tag_pages`.
@requires(TAG, creates=True, also=(GET,))
@require_POST
def tag_server_certificate(request: ConsoleRequest, certificate_name: str) -> HttpResponse:
    def page(row: ServerCertificate, form: TagForm) -> HttpResponse:
        request.gate.require(GET, row.arn, resource_tag_keys(tags_of(row)))
        return _page(request, row, form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: _permitted(request, TAG, certificate_name, keys),
        put=lambda row, tags: server_certificates.tag_server_certificate(
            by=request.principal, certificate=row, tags=tags
        ),
        back=_page_of,
        page=page,
    )


@requires(UNTAG, creates=True)
@require_POST
def untag_server_certificate(request: ConsoleRequest, certificate_name: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: _permitted(request, UNTAG, certificate_name, keys),
        drop=lambda row, keys: server_certificates.untag_server_certificate(
            by=request.principal, certificate=row, keys=keys
        ),
        back=_page_of,
    )


def _permitted(request: ConsoleRequest, action: str, name: str, keys: Mapping[str, Any]) -> ServerCertificate:
    """The certificate of the address, once the gate has allowed the action on it; refused before it is missing."""
    account_id = request.principal.account_id
    row, tags = first_with_tags(ServerCertificate.objects.filter(account_id=account_id, name_key=name.lower()))
    asked = server_certificate_arn(account_id, "/", name)
    require_hiding(request, action, row.arn if row else None, asked, {**resource_tag_keys(tags), **keys})
    if row is None:
        raise Http404("There is no server certificate with that name in this account.")
    return row


def _page_of(row: ServerCertificate) -> str:
    return reverse(PAGE, args=[row.name])


def _account(request: ConsoleRequest) -> Account:
    return Account.objects.get(pk=request.principal.account_id)
