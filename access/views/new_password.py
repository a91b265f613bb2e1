from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from access import cookies, sign_in_attempts
from access.forms.sign_in import NewPasswordForm
from access.http import AccessRequest
from access.models import SignInAttempt, SignInStep
from access.sign_in import Person, acting, person_of
from access.views.entering import go_on, start_over
from accounts.passwords import password_policy_of, rules_in_words
from audit.actions import public
from audit.errors import ConcurrentModification, ServiceError
from identities.services.login_profiles import replace_own_password
from identities.services.mfa import has_mfa


@public("somebody who proved a password that must be changed, and is not signed in yet")
@never_cache
def new_password(request: AccessRequest) -> HttpResponse:
    attempt = sign_in_attempts.load(cookies.read(request, cookies.ATTEMPT), SignInStep.NEW_PASSWORD)
    if attempt is None or attempt.user is None:
        return start_over()
    policy = password_policy_of(attempt.user.account_id)
    rules = rules_in_words(policy, has_mfa=has_mfa(attempt.user.account_id, attempt.user))
    data = request.POST if request.method == "POST" else None
    form = NewPasswordForm(data, rules=rules, strength=reverse("access:password-strength"))
    form.fields["password"].widget.attrs["autofocus"] = True
    if form.is_valid():
        try:
            person = _replaced(request, attempt, form.cleaned_data["password"])
        except ConcurrentModification:
            return start_over()
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, "Your new password is set.")
            mfa = attempt.mfa_at is not None
            return go_on(request, person, attempt.next_url, attempt=attempt, mfa=mfa)
    return render(request, "access/new_password.html", {"form": form, "user": attempt.user})


def _replaced(request: AccessRequest, attempt: SignInAttempt, password: str) -> Person:
    """The person with the password as it is now. Whoever is meant stands in the attempt, not in the form."""
    person = person_of(attempt)
    if person.user is not None:
        by = acting(person, request.origin)
        person.user.login_profile = replace_own_password(by=by, user=person.user, new_password=password)
    return person_of(attempt)
