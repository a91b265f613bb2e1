from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from access import switching
from access.assume_role import TooLong
from access.forms.switch_role import RoleCredentialsForm
from access.own_credentials import SignedInRequest
from access.role_credentials import forms_of
from audit.actions import recently_signed_in, signed_in
from audit.errors import AccessDenied, ServiceError
from identities.forms.roles import in_words


@signed_in("whether somebody may take on a role is decided by the role's trust policy", also=("sts:AssumeRole",))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def get_temporary_credentials(request: SignedInRequest) -> HttpResponse:
    session = request.console_session
    initial = {
        "account": request.GET.get("account") or session.account.sign_in_name,
        "role_name": request.GET.get("role_name", ""),
    }
    form = RoleCredentialsForm(request.POST if request.method == "POST" else None, initial=initial)
    context: dict[str, object] = {"form": form, "recent": switching.recent_roles(session)}
    if form.is_valid():
        try:
            made = switching.credentials_for(session, origin=request.origin, **form.cleaned_data)
        except TooLong as error:
            form.add_error("seconds", f"Sessions of this role last {in_words(error.longest)} at most; choose less.")
        except ServiceError as error:
            context["denial"] = error if isinstance(error, AccessDenied) else None
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            name = form.cleaned_data["role_name"].rpartition("/")[2]
            context |= {
                "made": made,
                "role_name": name,
                "ways": forms_of(made, role_name=name, endpoint=settings.SITE_URL),
            }
    return render(request, "access/temporary_credentials.html", context)
