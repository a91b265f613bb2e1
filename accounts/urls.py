from django.urls import URLPattern, path

from accounts import views

app_name = "accounts"

urlpatterns: list[URLPattern] = [
    path("", views.get_account_settings, name="get-account-settings"),
    path("name/", views.put_account_name, name="put-account-name"),
    path("alias/", views.create_account_alias, name="create-account-alias"),
    path("alias/delete/", views.delete_account_alias, name="delete-account-alias"),
    path("password-policy/", views.update_account_password_policy, name="update-account-password-policy"),
    path("password-policy/delete/", views.delete_account_password_policy, name="delete-account-password-policy"),
    path("email/", views.start_primary_email_update, name="start-primary-email-update"),
    path("email/<str:sealed>/", views.accept_primary_email_update, name="accept-primary-email-update"),
]
