from django.urls import URLPattern, path

from identities.views import create_group, delete_group, groups, groups_of_user, list_groups, memberships

urlpatterns: list[URLPattern] = [
    path("groups/", list_groups.list_groups, name="list-groups"),
    path("groups/create/", create_group.create_group, name="create-group"),
    path("groups/create/policies/", create_group.create_group_policies, name="create-group-policies"),
    path("groups/create/users/", create_group.create_group_users, name="create-group-users"),
    path("groups/create/review/", create_group.create_group_review, name="create-group-review"),
    path("group/<str:group_name>/", groups.get_group, name="get-group"),
    path("group/<str:group_name>/update/", groups.update_group, name="update-group"),
    path("group/<str:group_name>/delete/", delete_group.delete_group, name="delete-group"),
    path("group/<str:group_name>/users/add/", memberships.add_user_to_group, name="add-user-to-group"),
    path("group/<str:group_name>/users/remove/", memberships.remove_user_from_group, name="remove-user-from-group"),
    path("user/<str:user_name>/groups/", groups_of_user.list_groups_for_user, name="list-groups-for-user"),
    path("user/<str:user_name>/groups/move/", groups_of_user.move_user, name="move-user"),
    path("user/<str:user_name>/groups/move/review/", groups_of_user.move_user_review, name="move-user-review"),
]
