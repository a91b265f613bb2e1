from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from access import cookies, sign_in_attempts
from access.forms.sign_in import CodeForm
from access.http import AccessRequest
from access.models import SignInStep
from access.sign_in import SignInFailed, person_of, prove_code
from access.views.entering import go_on, start_over
from audit.actions import public


@public("somebody who proved a password and is not signed in yet")
@never_cache
def second_factor(request: AccessRequest) -> HttpResponse:
    attempt = sign_in_attempts.load(cookies.read(request, cookies.ATTEMPT), SignInStep.SECOND_FACTOR)
    if attempt is None:
        return start_over()
    form = CodeForm(request.POST if request.method == "POST" else None)
    person = person_of(attempt)
    if form.is_valid():
        try:
            prove_code(person, form.cleaned_data["code"], origin=request.origin)
        except SignInFailed:
            form.add_error("code", "This code did not match, or was used already. Wait for the next one.")
        else:
            return go_on(request, person, attempt.next_url, attempt=attempt, mfa=True)
    return render(request, "access/second_factor.html", {"form": form, "is_root": attempt.is_root})
