from access.urls import console, credentials, last_accessed, roles, route_tables, sign_in

app_name = "access"

urlpatterns = [
    *sign_in.urlpatterns,
    *console.urlpatterns,
    *credentials.urlpatterns,
    *last_accessed.urlpatterns,
    *roles.urlpatterns,
    *route_tables.urlpatterns,
]
