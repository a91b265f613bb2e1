"""What the pages of credentials show in one line each: SSH public keys, signing certificates, credentials of single
services. Each line has an action of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse

from audit.http import ConsoleRequest, Gate
from identities.models import ServiceSpecificCredential, SigningCertificate, SSHPublicKey, User
from identities.models.credentials import KeyStatus
from identities.panels import Panel, panel

LIST_KEYS = "iam:ListSSHPublicKeys"
LIST_CERTIFICATES = "iam:ListSigningCertificates"
LIST_CREDENTIALS = "iam:ListServiceSpecificCredentials"
ACTIONS = (LIST_KEYS, LIST_CERTIFICATES, LIST_CREDENTIALS)

_Rows = QuerySet[SSHPublicKey] | QuerySet[SigningCertificate] | QuerySet[ServiceSpecificCredential]


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of credentials: how many there are, or, where there are none, what they are for."""

    title: str
    purpose: str
    panel: Panel
    count: int
    active: int
    address: str


def lines(gate: Gate, user: User, context: Mapping[str, str], certificates_page: str = "") -> list[Line]:
    """Of a user. `certificates_page` is where the certificates are looked after, if not on the user's own pages."""

    def page(name: str) -> str:
        return reverse(f"identities:{name}", args=[user.name])

    return [
        _line(
            "SSH public keys",
            "For SSH connections to servers that ask this console for them.",
            panel(gate, LIST_KEYS, user.arn, context),
            user.ssh_public_keys.all(),
            page("list-ssh-public-keys"),
        ),
        _line(
            "Credentials for single services",
            "A user name and password, or an API key, that one service takes and nothing else.",
            panel(gate, LIST_CREDENTIALS, user.arn, context),
            user.service_specific_credentials.all(),
            page("list-service-specific-credentials"),
        ),
        certificates_line(
            panel(gate, LIST_CERTIFICATES, user.arn, context),
            user.signing_certificates.all(),
            certificates_page or page("list-signing-certificates"),
        ),
    ]


def certificates_line(allowed: Panel, rows: QuerySet[SigningCertificate], address: str) -> Line:
    """Of a user, or of root."""
    purpose = "X.509 certificates that prove what was signed with the private key to them."
    return _line("Signing certificates", purpose, allowed, rows, address)


def _line(title: str, purpose: str, allowed: Panel, rows: _Rows, address: str) -> Line:
    statuses = list(rows.values_list("status", flat=True)) if allowed.allowed else []
    return Line(title, purpose, allowed, len(statuses), statuses.count(KeyStatus.ACTIVE), address)


def is_own(request: ConsoleRequest, user: User) -> bool:
    """Whether somebody looks at their own page, which then hangs below “My security credentials”."""
    return request.principal.type == "user" and request.principal.unique_id == user.unique_id
