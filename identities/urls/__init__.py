from identities.urls import credentials, groups, permissions, users

app_name = "identities"

urlpatterns = [*users.urlpatterns, *groups.urlpatterns, *permissions.urlpatterns, *credentials.urlpatterns]
