from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from access import cookies, known_browsers, sessions, throttle
from access.forms.credentials import ChangePasswordForm
from access.own_credentials import Own, SignedInRequest, own
from accounts import mails
from accounts.passwords import password_policy_of, rules_in_words
from accounts.services import change_root_password
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from identities.models import User
from identities.services.login_profiles import IncorrectPassword, change_password, find_holder, password_is
from identities.services.mfa import has_mfa


@requires("iam:ChangePassword", "self")
@recently_signed_in
def my_password(request: SignedInRequest) -> HttpResponse:
    me = own(request)
    policy = password_policy_of(me.account.id) if me.user else None
    rules = rules_in_words(policy, has_mfa=has_mfa(me.account.id, me.user))
    data = request.POST if request.method == "POST" else None
    form = ChangePasswordForm(data, rules=rules, strength=reverse("access:password-strength"))
    if form.is_valid():
        try:
            binding = _change_within_limits(me, form.cleaned_data["old_password"], form.cleaned_data["password"])
        except throttle.Throttled:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            return _signed_in_anew(request, binding)
    context = {"form": form, "me": me, "mails_are_sent": mails.are_sent()}
    return render(request, "access/my_password.html", context)


def _change_within_limits(me: Own, old: str, new: str) -> str:
    """An open session must not be a place to guess the password: wrong ones count as on the sign-in page."""
    browser = known_browsers.browser_id(cookies.read(me.request, cookies.DEVICE), me.account, me.user)
    tries = throttle.password_tries(person=me.throttle_key, address=me.request.origin.address, browser=browser)
    tries.refuse(tries.full().exists())
    try:
        return _change(me, old, new, tries)
    except IncorrectPassword as error:
        me.record_wrong("iam:ChangePassword", error)
        raise


def _change(me: Own, old: str, new: str, tries: throttle.Tries) -> str:
    """Returns what sessions are bound to from now on."""
    by = me.request.principal
    if me.user is not None:
        holder = find_holder(User.objects.filter(pk=me.user.pk))
        profile = change_password(
            by=by, holder=holder, old_password=old, new_password=new, tried=tries, for_console=True
        )
        return profile.get_session_auth_hash()
    root_user = me.account.root_user
    is_right = password_is(root_user, old)
    tries(is_right)
    if not is_right:
        raise IncorrectPassword("The present password is not right.")
    factor = has_mfa(me.account.id, None)
    changed = change_root_password(by=by, root_user=root_user, new_password=new, has_mfa=factor)
    return changed.get_session_auth_hash()


def _signed_in_anew(request: SignedInRequest, binding: str) -> HttpResponse:
    """This browser stays; all others are signed out, because their sessions are bound to the old password."""
    session = request.console_session
    sessions.end_other_sessions(session)
    response = redirect("access:my-credentials")
    token = sessions.renew(session, password_binding=binding)
    cookies.write_session(response, token, is_root=session.is_root)
    messages.success(request, "Your password is changed, and every other browser is signed out.")
    return response
