"""Looking an access key up, as when one has leaked: whose it is, what was done with it, and how to end it."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from access import key_traces
from access.forms.access_keys import FindKeyForm
from access.http import AccessRequest
from access.key_standing import ASKED, Reader, SeenKey, State, end_of, role_name_of
from access.key_traces import Uses
from accounts.ids import account_of_access_key
from audit import clock
from audit.actions import signed_in
from audit.models import Event
from identities.models import User
from identities.panels import panel

LOOK_UP, KEY_INFO = "cloudtrail:LookupEvents", "sts:GetAccessKeyInfo"
NOT_TOLD = State(None, "Not known: it is gone, of another account, or not for you to see")
OPEN_TO_ALL = "everybody may look; each part is shown to those only who may read what it is made of"


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that was made with a key, as the page shows it. `key_id` is what can be looked up in its turn."""

    event: Event
    key_id: str
    ends_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class Trail:
    """What the audit trail tells of a key; `chain` of a temporary one, `life` of a long-term one."""

    uses: Uses
    made: list[Event]
    chain: list[Event]
    life: list[Event]

    @property
    def knows(self) -> bool:
        return bool(self.uses.count or self.chain or self.life)

    @property
    def beginner_id(self) -> str:
        """The unique id of the user with whom everything began."""
        first = self.chain[-1] if self.chain else self.uses.last
        return first.principal_id if first and first.principal_type == "user" else ""


@signed_in(OPEN_TO_ALL)
@require_http_methods(["GET", "HEAD", "POST"])
def find_access_key(request: AccessRequest) -> HttpResponse:
    """Sent by POST: what is pasted may hold a secret beside the id, and addresses are kept in logs."""
    form = FindKeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect("access:trace-access-key", form.cleaned_data["text"])
    return render(request, "access/find_access_key.html", {"form": form})


@signed_in(OPEN_TO_ALL, also=(*ASKED, LOOK_UP, KEY_INFO))
@require_safe
def trace_access_key(request: AccessRequest, access_key_id: str) -> HttpResponse:
    reader, looks_up = Reader(request), panel(request.gate, LOOK_UP, "*")
    seen = reader.key(access_key_id)
    trail = _trail(reader.account_id, access_key_id) if looks_up.allowed else None
    context = {
        "form": FindKeyForm(),
        "key_id": access_key_id,
        "is_temporary": key_traces.is_temporary(access_key_id),
        "seen": seen,
        "looks_up": looks_up,
        "trail": trail,
        "rows": key_traces.ROWS,
        "told_account": _told_account(request, access_key_id),
    }
    if seen is None and not (trail and trail.knows):
        return render(request, "access/trace_access_key.html", context | {"unknown": True}, status=404)
    return render(request, "access/trace_access_key.html", context | _standing(reader, seen, trail))


def _trail(account_id: str, key_id: str) -> Trail:
    return Trail(
        key_traces.uses_of(account_id, key_id),
        key_traces.made_with(account_id, key_id),
        key_traces.chain_to(account_id, key_id),
        [] if key_traces.is_temporary(key_id) else key_traces.life_of(account_id, key_id),
    )


def _standing(reader: Reader, seen: SeenKey | None, trail: Trail | None) -> dict[str, object]:
    user = seen.key.user if seen else reader.user(trail.beginner_id) if trail else None
    made = [*trail.chain[:1], *trail.made] if trail else []
    return {
        "user": user,
        "state": _state(reader, seen, trail, user),
        "session_role": role_name_of(trail.chain[0], reader.account_id) if trail and trail.chain else "",
        "may_lock_down": user is not None and reader.may_lock_down(user),
        "roles_to_end": reader.roles_to_end(made),
        "made": [_made(each) for each in trail.made] if trail else [],
    }


def _state(reader: Reader, seen: SeenKey | None, trail: Trail | None, user: User | None) -> State:
    if seen:
        return seen.state
    if trail and trail.chain:
        return reader.state_of_session(trail.chain[0], user)
    for event in trail.life if trail else ():
        if event.action == "iam:DeleteAccessKey":
            return State(False, "deleted on", event.at)
    return NOT_TOLD


def _made(event: Event) -> Made:
    ends_at = end_of(event)
    key_id = event.detail.get("made_key") or event.detail.get("access_key_id") or ""
    is_over = ends_at is not None and ends_at <= clock.now()
    return Made(event, key_id, ends_at, is_over)


def _told_account(request: AccessRequest, key_id: str) -> str:
    """The account inside the id itself, which tells nothing of whether there is such a key."""
    if not request.gate.may(KEY_INFO, "*").allowed:
        return ""
    try:
        return account_of_access_key(key_id)
    except ValueError:
        return ""
