from access.urls import console, credentials, roles, route_tables, sign_in

app_name = "access"

urlpatterns = [
    *sign_in.urlpatterns,
    *console.urlpatterns,
    *credentials.urlpatterns,
    *roles.urlpatterns,
    *route_tables.urlpatterns,
]
