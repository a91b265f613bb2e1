from access.urls import console, credentials, sign_in

app_name = "access"

urlpatterns = [*sign_in.urlpatterns, *console.urlpatterns, *credentials.urlpatterns]
