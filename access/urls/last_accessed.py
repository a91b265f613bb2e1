from django.urls import URLPattern, path

from access.views import last_accessed

urlpatterns: list[URLPattern] = [
    path("identities/user/<str:user_name>/last-accessed/", last_accessed.user_last_accessed, name="user-last-accessed"),
    path("identities/role/<str:role_name>/last-accessed/", last_accessed.role_last_accessed, name="role-last-accessed"),
    path(
        "identities/group/<str:group_name>/last-accessed/",
        last_accessed.group_last_accessed,
        name="group-last-accessed",
    ),
    path(
        "policies/policy/<str:scope>/<str:policy_name>/last-accessed/",
        last_accessed.policy_last_accessed,
        name="policy-last-accessed",
    ),
]
