from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.http import AccessRequest
from access.scenarios import SCENARIOS
from audit.actions import signed_in


@signed_in("a guide that shows nothing of the account; each page that it leads to asks for its own permission")
@require_safe
def who_needs_access(request: AccessRequest) -> HttpResponse:
    return render(request, "access/who_needs_access.html", {"scenarios": SCENARIOS})
