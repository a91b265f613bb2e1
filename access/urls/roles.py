"""Pages of roles that need to know who may take on what, or whose identities an outside provider vouches for."""

from django.urls import URLPattern, path

from access.views import who_can_assume

urlpatterns: list[URLPattern] = [
    path(
        "identities/role/<str:role_name>/who-can-assume/",
        who_can_assume.who_can_assume,
        name="who-can-assume",
    ),
]
