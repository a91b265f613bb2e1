"""Pages of roles that need to know who may take on what, or whose identities an outside provider vouches for."""

from django.urls import URLPattern, path

from access.views import create_role, create_role_review, who_can_assume

CREATE = "identities/roles/create/"

urlpatterns: list[URLPattern] = [
    path(CREATE, create_role.create_role, name="create-role"),
    path(f"{CREATE}who/", create_role.create_role_who, name="create-role-who"),
    path(f"{CREATE}trust/", create_role.create_role_trust, name="create-role-trust"),
    path(f"{CREATE}permissions/", create_role.create_role_permissions, name="create-role-permissions"),
    path(f"{CREATE}details/", create_role.create_role_details, name="create-role-details"),
    path(f"{CREATE}review/", create_role_review.create_role_review, name="create-role-review"),
    path("identities/role/<str:role_name>/created/", create_role_review.role_created, name="role-created"),
    path(
        "identities/role/<str:role_name>/who-can-assume/",
        who_can_assume.who_can_assume,
        name="who-can-assume",
    ),
]
