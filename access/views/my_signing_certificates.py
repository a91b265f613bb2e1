"""The pages of `identities.views.signing_certificates` for whoever is signed in, root included."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.own_credentials import SignedInRequest, own
from audit.actions import recently_signed_in, requires
from identities.views import signing_certificates
from identities.views.signing_certificates import Owner


@requires("iam:ListSigningCertificates", "self")
@require_safe
def my_signing_certificates(request: SignedInRequest) -> HttpResponse:
    return signing_certificates.listed(request, _owner(request))


@requires("iam:UploadSigningCertificate", "self")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def upload_my_signing_certificate(request: SignedInRequest) -> HttpResponse:
    return signing_certificates.uploaded(request, _owner(request))


@requires("iam:UpdateSigningCertificate", "self")
@require_POST
@recently_signed_in
def update_my_signing_certificate(request: SignedInRequest, certificate_id: str) -> HttpResponse:
    return signing_certificates.updated(request, _owner(request), certificate_id)


@requires("iam:DeleteSigningCertificate", "self")
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_my_signing_certificate(request: SignedInRequest, certificate_id: str) -> HttpResponse:
    return signing_certificates.deleted(request, _owner(request), certificate_id)


def _owner(request: SignedInRequest) -> Owner:
    me = own(request)
    return Owner(me.account, me.user, own=True)
