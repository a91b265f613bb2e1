"""Declarations: which IAM action a view is. Ground floor, so that every app can declare; `access.guard` reads them.

A view wears exactly one of `requires`, `signed_in` or `public`; one with none is refused by the guard and by a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Declaration:
    """`resource` names a loader of `access.resources` ("user", "group", "policy", "self") or is "*".

    `also` lists the further actions that the view asks for one by one through `request.require` or `request.may`.
    `creates` marks pages for things that have no ARN yet: reading the form needs a permission that could cover
    something; the view itself asks for the exact ARN before it writes.
    """

    kind: str
    action: str = ""
    resource: str = "*"
    also: tuple[str, ...] = ()
    creates: bool = False
    reason: str = ""


def _declare(declaration: Declaration) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.declaration = declaration  # type: ignore[attr-defined] # functions carry their declaration
        return view

    return mark


def requires(
    action: str, resource: str = "*", *, also: tuple[str, ...] = (), creates: bool = False
) -> Callable[[View], View]:
    """The view is this IAM action on this kind of resource."""
    return _declare(Declaration("requires", action, resource, also, creates))


def signed_in(reason: str, *, also: tuple[str, ...] = ()) -> Callable[[View], View]:
    """Open to every signed-in principal, because of the written reason."""
    return _declare(Declaration("signed_in", also=also, reason=reason))


def public(reason: str) -> Callable[[View], View]:
    """Open to everybody, because of the written reason."""
    return _declare(Declaration("public", reason=reason))


def recently_signed_in(view: View) -> View:
    """The view wants proof of the person from the last five minutes (keys, passwords, MFA)."""
    view.needs_fresh_sign_in = True  # type: ignore[attr-defined] # functions carry their declaration
    return view


def open_when_role_is_over(view: View) -> View:
    """A session whose role is over reaches the view: it is part of the way back."""
    view.open_when_role_is_over = True  # type: ignore[attr-defined] # functions carry their declaration
    return view


def open_before_root_mfa(view: View) -> View:
    """Root reaches the view also where MFA is mandatory and no device is on yet: it is part of turning one on."""
    view.open_before_root_mfa = True  # type: ignore[attr-defined] # functions carry their declaration
    return view
