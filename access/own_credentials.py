"""The person behind a console session, for the pages about one's own credentials. Nothing here is read from a form or
an address: such a page can only ever act on whoever is signed in."""

from dataclasses import dataclass

from django.db.models import QuerySet

from access.http import AccessRequest
from access.models import ConsoleSession
from access.principals import original_principal
from access.throttle import person_key
from accounts.models import Account
from audit.errors import InvalidUserType, NoSuchEntity, ServiceError
from audit.models import Outcome
from audit.principal import Principal
from audit.services import record
from identities.models import AccessKey, MFADevice, User
from identities.panels import Panel, panel
from identities.resource_tags import resource_tags
from identities.services.access_keys import get_access_key
from identities.services.mfa import get_mfa_device, serial_number_of


class SignedInRequest(AccessRequest):
    """Somebody is signed in: the guard lets nobody else through to these pages."""

    console_session: ConsoleSession


@dataclass(frozen=True, slots=True)
class Own:
    """`user` is None for the root user."""

    request: SignedInRequest
    account: Account
    user: User | None

    @property
    def arn(self) -> str:
        return self.request.principal.arn

    @property
    def name(self) -> str:
        return self.user.name if self.user else "root"

    @property
    def throttle_key(self) -> str:
        return person_key(self.account.id, self.user.unique_id if self.user else None)

    def panel(self, action: str) -> Panel:
        return panel(self.request.gate, action, self.arn, self._tags())

    def require(self, action: str) -> None:
        self.request.gate.require(action, self.arn, self._tags())

    def record_wrong(self, action: str, error: ServiceError) -> None:
        """A proof that was wrong: whoever looks for guessing finds it in the trail, as what programs try."""
        record(self.request.principal, action, self.arn, outcome=Outcome.FAILURE, error_code=error.code)

    def access_keys(self) -> list[AccessKey]:
        return list(AccessKey.objects.filter(account=self.account, user=self.user).order_by("created_at", "slot"))

    def key(self, access_key_id: str) -> AccessKey:
        """Raises NoSuchEntity for a key of anybody else, in this account or not."""
        key = get_access_key(self.account.id, access_key_id)
        if key.user != self.user:
            raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
        return key

    def mfa_devices(self) -> QuerySet[MFADevice]:
        return MFADevice.objects.filter(account=self.account, user=self.user).order_by("enabled_at", "name")

    def device(self, address: str) -> MFADevice:
        """Raises NoSuchEntity for a device of anybody else, in this account or not."""
        serial_number = serial_number_of(self.account.id, address)
        device = get_mfa_device(self.account.id, serial_number)
        if device.user != self.user:
            raise NoSuchEntity(f"VirtualMFADevice with serial number {serial_number} doesn't exist.")
        return device

    def _tags(self) -> dict[str, str]:
        return resource_tags(self.user) if self.user else {}


def session_owner(request: AccessRequest) -> Principal:
    """Whose session it is, whatever role it has switched to: what is done to their sessions they do themselves, and it
    stands in the trail of their own account."""
    session = request.console_session
    return (original_principal(session, request.origin) if session else None) or request.principal


def own(request: SignedInRequest) -> Own:
    """Raises InvalidUserType for a role or somebody from outside: they have no credentials of their own here."""
    session = request.console_session
    if session.is_switched:
        raise InvalidUserType("A role has no password, keys or MFA devices. Switch back to see your own.")
    if session.is_federated:
        raise InvalidUserType("You signed in elsewhere: your password and second factor are looked after there.")
    return Own(request, session.account, session.user)
