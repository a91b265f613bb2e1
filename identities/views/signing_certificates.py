"""Signing certificates of a user. The pages for one's own, root's among them, are the same below other addresses
(`access.views.my_signing_certificates`)."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Account
from audit import clock
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from identities.certificate_facts import CertificateFacts, facts_of, state_at
from identities.forms.other_credentials import SigningCertificateForm
from identities.models import SigningCertificate, User
from identities.public_keys import read_certificate
from identities.services import signing_certificates
from identities.views.other_credentials import is_own


@dataclass(frozen=True, slots=True)
class Owner:
    """`user` is None for root, who is only ever met on the own pages."""

    account: Account
    user: User | None
    own: bool

    @property
    def name(self) -> str:
        return self.user.name if self.user else "root"

    @property
    def page(self) -> str:
        return self.address("access:my-signing-certificates", "identities:list-signing-certificates")

    @property
    def upload_page(self) -> str:
        return self.address("access:upload-my-signing-certificate", "identities:upload-signing-certificate")

    def address(self, mine: str, users: str, *words: str) -> str:
        return reverse(mine, args=words) if self.own else reverse(users, args=[self.name, *words])

    def certificates(self) -> QuerySet[SigningCertificate]:
        rows = SigningCertificate.objects.filter(account=self.account, user=self.user)
        return rows.select_related("user").order_by("uploaded_at", "slot")

    def certificate(self, certificate_id: str) -> SigningCertificate:
        """Raises NoSuchEntity also for a certificate of somebody else."""
        row = self.certificates().filter(pk=certificate_id).first()
        if row is None:
            raise signing_certificates.no_such_certificate(certificate_id)
        return row


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """A certificate as people tell one from another, and where it is changed."""

    row: SigningCertificate
    owner: Owner
    facts: CertificateFacts
    state: str

    @classmethod
    def of(cls, row: SigningCertificate, owner: Owner) -> "ShownCertificate":
        facts = facts_of(read_certificate(row.body))
        return cls(row, owner, facts, state_at(facts.ends_at, clock.now()))

    @property
    def update_page(self) -> str:
        names = "access:update-my-signing-certificate", "identities:update-signing-certificate"
        return self.owner.address(*names, self.row.pk)

    @property
    def delete_page(self) -> str:
        names = "access:delete-my-signing-certificate", "identities:delete-signing-certificate"
        return self.owner.address(*names, self.row.pk)


@requires("iam:ListSigningCertificates", "user")
@require_safe
def list_signing_certificates(request: ConsoleRequest, user: User) -> HttpResponse:
    return listed(request, owner_of(user))


@requires("iam:UploadSigningCertificate", "user")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def upload_signing_certificate(request: ConsoleRequest, user: User) -> HttpResponse:
    return uploaded(request, owner_of(user))


@requires("iam:UpdateSigningCertificate", "user")
@require_POST
@recently_signed_in
def update_signing_certificate(request: ConsoleRequest, user: User, certificate_id: str) -> HttpResponse:
    return updated(request, owner_of(user), certificate_id)


@requires("iam:DeleteSigningCertificate", "user")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_signing_certificate(request: ConsoleRequest, user: User, certificate_id: str) -> HttpResponse:
    return deleted(request, owner_of(user), certificate_id)


def owner_of(user: User) -> Owner:
    return Owner(user.account, user, own=False)


def listed(request: ConsoleRequest, owner: Owner) -> HttpResponse:
    rows, quota = owner.certificates(), owner.account.quota("signing_certificates")
    context = {
        "rows": [ShownCertificate.of(row, owner) for row in rows],
        "quota": quota,
        "full": len(rows) >= quota,
    }
    return _render(request, owner, "list", context)


def uploaded(request: ConsoleRequest, owner: Owner) -> HttpResponse:
    form = SigningCertificateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = signing_certificates.upload_signing_certificate(
                by=request.principal, user=owner.user, body=form.cleaned_data["body"]
            )
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The signing certificate {row.pk} is there and active.")
            return redirect(owner.page)
    return _render(request, owner, "upload", {"form": form})


def updated(request: ConsoleRequest, owner: Owner, certificate_id: str) -> HttpResponse:
    row, status = owner.certificate(certificate_id), request.POST.get("status", "")
    signing_certificates.update_signing_certificate(by=request.principal, certificate=row, status=status)
    messages.success(request, f"The signing certificate {row.pk} is now {row.status.lower()}.")
    return redirect(owner.page)


def deleted(request: ConsoleRequest, owner: Owner, certificate_id: str) -> HttpResponse:
    row = owner.certificate(certificate_id)
    if request.method == "POST":
        signing_certificates.delete_signing_certificate(by=request.principal, certificate=row)
        messages.success(request, f"The signing certificate {row.pk} is deleted.")
        return redirect(owner.page)
    return _render(request, owner, "delete", {"shown": ShownCertificate.of(row, owner)})


def _render(request: ConsoleRequest, owner: Owner, page: str, context: dict[str, object]) -> HttpResponse:
    own = owner.user is None or is_own(request, owner.user)
    context |= {"owner": owner, "user": owner.user, "own": own}
    return render(request, f"identities/signing_certificates_{page}.html", context)
