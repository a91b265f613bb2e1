"""What is given while its owner, or it itself, is deleted: there or refused, and never the server's fault."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from audit.errors import (
    ConcurrentModification,
    DeleteConflict,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    NoSuchEntity,
)
from identities.models import Role, User
from identities.services import login_profiles, mfa, roles, users
from identities.services.login_profiles import create_login_profile
from identities.services.mfa import create_virtual_mfa_device, enable_mfa_device
from policies import services
from tests.cast import make_user, principal_of, trusting
from tests.identities.devices import codes, unlimited
from tests.policies.documents import ALLOW
from tests.rig.races import THREADS, race

pytestmark = [pytest.mark.bar(74), pytest.mark.django_db(transaction=True)]
REFUSALS = (NoSuchEntity, DeleteConflict, ConcurrentModification, EntityAlreadyExists, InvalidAuthenticationCode)


def of_two_kinds(one: Callable[[int], object], other: Callable[[int], object]) -> None:
    """All at once; whatever is no refusal ends the test."""

    def attempt(number: int) -> None:
        with suppress(*REFUSALS):
            (one if number % 2 else other)(number)

    assert race(attempt, NoSuchEntity) == 0


@pytest.mark.parametrize("kind", ["user", "role"])
def test_nobody_is_born_with_a_boundary_that_has_gone(alice: User, kind: str) -> None:
    by = principal_of(alice)
    policy = services.create_policy(by=by, name="raced", document=ALLOW)

    def create(number: int) -> None:
        given: dict[str, Any] = {"by": by, "name": f"born-{number}", "boundary": policy.arn}
        if kind == "user":
            users.create_user(**given)
        else:
            roles.create_role(**given, trust=trusting(alice.arn))

    of_two_kinds(create, lambda _: services.delete_policy(by=by, policy=policy))
    model: Any = User if kind == "user" else Role
    born = model.objects.filter(name__startswith="born-")
    assert born.count() in (0, THREADS // 2)
    assert bool(born.count()) == alice.account.managed_policies.filter(name="raced").exists()


def test_nobody_who_has_gone_has_a_device(alice: User) -> None:
    by = principal_of(alice)
    carol = make_user(alice.account, "carol", console=False)
    device, seed = create_virtual_mfa_device(by=by, user=None, name="raced")
    code1, code2 = codes(seed)

    def enable(_: int) -> None:
        device.refresh_from_db()
        enable_mfa_device(by=by, device=device, user=carol, code1=code1, code2=code2, tried=unlimited)

    of_two_kinds(enable, lambda _: users.delete_user(by=by, user=carol))
    device.refresh_from_db()
    assert (device.user == carol) == User.objects.filter(pk=carol.pk).exists()


@pytest.mark.parametrize("what", ["password", "device"])
def test_what_is_begun_for_somebody_who_goes_meanwhile_is_refused(
    alice: User, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes too long to keep the row from others; the database says at the end that it has gone."""
    by, carol = principal_of(alice), make_user(alice.account, "carol", console=False)
    module, name = (login_profiles, "make_password") if what == "password" else (mfa, "name_problem")
    real: Callable[..., Any] = getattr(module, name)

    def meanwhile(*words: Any) -> Any:
        users.delete_user(by=by, user=carol)
        return real(*words)

    monkeypatch.setattr(module, name, meanwhile)
    with pytest.raises(NoSuchEntity):
        if what == "password":
            create_login_profile(by=by, user=carol, password="Copper meadow violin 4482")
        else:
            create_virtual_mfa_device(by=by, user=carol, name="phone")
