from identities.urls import (
    credentials,
    groups,
    machines,
    other_credentials,
    permissions,
    roles,
    server_certificates,
    users,
)

app_name = "identities"

urlpatterns = [
    *users.urlpatterns,
    *groups.urlpatterns,
    *roles.urlpatterns,
    *machines.urlpatterns,
    *permissions.urlpatterns,
    *credentials.urlpatterns,
    *other_credentials.urlpatterns,
    *server_certificates.urlpatterns,
]
