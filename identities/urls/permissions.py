from django.urls import path

from identities.views import (
    permissions,
    permissions_attach,
    permissions_boundary,
    permissions_entities,
    permissions_inline,
)

USER = "user/<str:user_name>/permissions/"
GROUP = "group/<str:group_name>/permissions/"
USER_INLINE = f"{USER}inline-policy/<str:policy_name>/"
GROUP_INLINE = f"{GROUP}inline-policy/<str:policy_name>/"

urlpatterns = [
    path(USER, permissions.list_attached_user_policies, name="list-attached-user-policies"),
    path(f"{USER}attach/", permissions_attach.attach_user_policy, name="attach-user-policy"),
    path(f"{USER}detach/", permissions_attach.detach_user_policy, name="detach-user-policy"),
    path(f"{USER}inline-policies/create/", permissions_inline.put_user_policy, name="put-user-policy"),
    path(USER_INLINE, permissions_inline.get_user_policy, name="get-user-policy"),
    path(f"{USER_INLINE}change/", permissions_inline.put_user_policy, name="put-user-policy-change"),
    path(f"{USER_INLINE}delete/", permissions_inline.delete_user_policy, name="delete-user-policy"),
    path(f"{USER}boundary/", permissions_boundary.put_user_permissions_boundary, name="put-user-permissions-boundary"),
    path(
        f"{USER}boundary/remove/",
        permissions_boundary.delete_user_permissions_boundary,
        name="delete-user-permissions-boundary",
    ),
    path(GROUP, permissions.list_attached_group_policies, name="list-attached-group-policies"),
    path(f"{GROUP}attach/", permissions_attach.attach_group_policy, name="attach-group-policy"),
    path(f"{GROUP}detach/", permissions_attach.detach_group_policy, name="detach-group-policy"),
    path(f"{GROUP}inline-policies/create/", permissions_inline.put_group_policy, name="put-group-policy"),
    path(GROUP_INLINE, permissions_inline.get_group_policy, name="get-group-policy"),
    path(f"{GROUP_INLINE}change/", permissions_inline.put_group_policy, name="put-group-policy-change"),
    path(f"{GROUP_INLINE}delete/", permissions_inline.delete_group_policy, name="delete-group-policy"),
    path(
        "policy/<str:scope>/<str:policy_name>/entities/",
        permissions_entities.list_entities_for_policy,
        name="list-entities-for-policy",
    ),
]
