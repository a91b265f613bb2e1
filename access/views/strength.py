from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from access import throttle
from access.http import AccessRequest
from access.password_strength import estimate
from audit.actions import public


@public("estimates a password that is being thought up, also before anybody can sign in; keeps nothing")
@never_cache
@require_POST
def password_strength(request: AccessRequest) -> HttpResponse:
    throttle.step_try(throttle.ESTIMATES_FROM_ADDRESS, request.origin.address)
    password = request.POST.get("password") or request.POST.get("new_password") or ""
    known = [request.POST.get(name, "") for name in ("name", "email", "alias")]
    found = estimate(password, [word for word in known if 0 < len(word) <= 254])
    return render(request, "access/password_strength.html", {"found": found})
