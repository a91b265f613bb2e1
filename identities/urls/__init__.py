from identities.urls import credentials, groups, permissions, roles, users

app_name = "identities"

urlpatterns = [
    *users.urlpatterns,
    *groups.urlpatterns,
    *roles.urlpatterns,
    *permissions.urlpatterns,
    *credentials.urlpatterns,
]
