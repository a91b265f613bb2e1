from django.urls import URLPattern, path

from identities.views import list_roles, permissions, permissions_attach, permissions_boundary, permissions_inline, tags
from identities.views import roles as role

ROLE = "role/<str:role_name>/"
PERMISSIONS = f"{ROLE}permissions/"
INLINE = f"{PERMISSIONS}inline-policy/<str:policy_name>/"
BOUNDARY = f"{PERMISSIONS}boundary/"

urlpatterns: list[URLPattern] = [
    path("roles/", list_roles.list_roles, name="list-roles"),
    path(ROLE, role.get_role, name="get-role"),
    path(f"{ROLE}update/", role.update_role, name="update-role"),
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
