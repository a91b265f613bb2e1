"""Looking at a password. For nobody, a wrong one, or no password at all it costs the same single hash."""

from django.contrib.auth.hashers import make_password, verify_password

from access.sign_in_attempts import Owner
from accounts.passwords import normalise
from audit.errors import PasswordPolicyViolation

# Django's mark of a password that nothing matches: checking against it hashes once, as for any other.
_NOBODYS = "!"


def password_fits(owner: Owner | None, password: str) -> bool:
    """Whether this is the present password of `owner`. One of more than 128 characters is refused before any hashing.

    A password stored by an older method is stored again by the present one. (Sessions are bound to what is stored, so
    the person's other sessions end; that happens once.)
    """
    try:
        password = normalise(password)
    except PasswordPolicyViolation:
        return False
    fits, is_old = verify_password(password, owner.password if owner else _NOBODYS)
    if owner is None or not fits:
        return False
    if is_old:
        _store_again(owner, password)
    return True


def _store_again(owner: Owner, password: str) -> None:
    before, owner.password = owner.password, make_password(password)
    type(owner)._default_manager.filter(pk=owner.pk, password=before).update(password=owner.password)
