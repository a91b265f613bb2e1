from django.urls import URLPattern, path

from identities.views import (
    delete_role,
    list_roles,
    permissions,
    permissions_attach,
    permissions_boundary,
    permissions_inline,
    role_sessions,
    role_trust,
    roles,
    tags,
)

ROLE = "role/<str:role_name>/"
PERMISSIONS = f"{ROLE}permissions/"
INLINE = f"{PERMISSIONS}inline-policy/<str:policy_name>/"
BOUNDARY = f"{PERMISSIONS}boundary/"

urlpatterns: list[URLPattern] = [
    path("roles/", list_roles.list_roles, name="list-roles"),
    path(ROLE, roles.get_role, name="get-role"),
    path(f"{ROLE}update/", roles.update_role, name="update-role"),
    path(f"{ROLE}delete/", delete_role.delete_role, name="delete-role"),
    path(f"{ROLE}trust/", role_trust.get_role_trust, name="get-role-trust"),
    path(f"{ROLE}trust/change/", role_trust.update_assume_role_policy, name="update-assume-role-policy"),
    path(
        f"{ROLE}sessions/",
        role_sessions.put_role_policy_revoke_sessions,
        name="put-role-policy-revoke-sessions",
    ),
    path(f"{ROLE}tags/", tags.list_role_tags, name="list-role-tags"),
    path(f"{ROLE}tags/set/", tags.tag_role, name="tag-role"),
    path(f"{ROLE}tags/remove/", tags.untag_role, name="untag-role"),
    path(PERMISSIONS, permissions.list_attached_role_policies, name="list-attached-role-policies"),
    path(f"{PERMISSIONS}attach/", permissions_attach.attach_role_policy, name="attach-role-policy"),
    path(f"{PERMISSIONS}detach/", permissions_attach.detach_role_policy, name="detach-role-policy"),
    path(f"{PERMISSIONS}inline-policies/create/", permissions_inline.put_role_policy, name="put-role-policy"),
    path(INLINE, permissions_inline.get_role_policy, name="get-role-policy"),
    path(f"{INLINE}change/", permissions_inline.put_role_policy, name="put-role-policy-change"),
    path(f"{INLINE}delete/", permissions_inline.delete_role_policy, name="delete-role-policy"),
    path(BOUNDARY, permissions_boundary.put_role_permissions_boundary, name="put-role-permissions-boundary"),
    path(
        f"{BOUNDARY}remove/",
        permissions_boundary.delete_role_permissions_boundary,
        name="delete-role-permissions-boundary",
    ),
]
