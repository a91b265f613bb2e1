from django.urls import URLPattern, path

from identities.views import clone, create_user, credential_report, delete_user, list_users, tags, users

urlpatterns: list[URLPattern] = [
    path("users/", list_users.list_users, name="list-users"),
    path("users/create/", create_user.create_user, name="create-user"),
    path("users/create/permissions/", create_user.create_user_permissions, name="create-user-permissions"),
    path("users/create/review/", create_user.create_user_review, name="create-user-review"),
    path("credential-report/", credential_report.get_credential_report, name="get-credential-report"),
    path("credential-report/make/", credential_report.generate_credential_report, name="generate-credential-report"),
    path("credential-report/file/", credential_report.get_credential_report_file, name="get-credential-report-file"),
    path("user/<str:user_name>/", users.get_user, name="get-user"),
    path("user/<str:user_name>/update/", users.update_user, name="update-user"),
    path("user/<str:user_name>/delete/", delete_user.delete_user, name="delete-user"),
    path("user/<str:user_name>/copy-permissions/", clone.clone_user, name="clone-user"),
    path("user/<str:user_name>/copy-permissions/review/", clone.clone_user_review, name="clone-user-review"),
    path("user/<str:user_name>/tags/", tags.list_user_tags, name="list-user-tags"),
    path("user/<str:user_name>/tags/set/", tags.tag_user, name="tag-user"),
    path("user/<str:user_name>/tags/remove/", tags.untag_user, name="untag-user"),
]
