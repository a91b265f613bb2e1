from django.urls import include, path

from iamconsole import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("identities/", include("identities.urls")),
    path("policies/", include("policies.urls")),
    path("account/", include("accounts.urls")),
    path("audit/", include("audit.urls")),
    path("", include("federation.urls")),
    path("", include("api.urls")),
    path("", include("access.urls")),
]

handler400 = "iamconsole.views.bad_request"
handler404 = "iamconsole.views.not_found"
handler500 = "iamconsole.views.server_error"
