from django.urls import URLPattern, path

from access.views import broker, confirm, new_password, reset, saml, second_factor, set_up, sign_in, sign_out, strength

urlpatterns: list[URLPattern] = [
    path("setup/<str:token>/", set_up.set_up, name="set-up"),
    path("signin/", sign_in.sign_in, name="sign-in"),
    path("signin/<str:account>/", sign_in.sign_in, name="sign-in-account"),
    path("root-signin/", sign_in.root_sign_in, name="root-sign-in"),
    path("root-signin/password/", sign_in.root_password, name="root-password"),
    path("second-factor/", second_factor.second_factor, name="second-factor"),
    path("new-password/", new_password.new_password, name="new-password"),
    path("forgot-password/", reset.forgot_password, name="forgot-password"),
    path("reset-password/", reset.reset_root_password, name="reset-root-password"),
    path("reset-password/<str:token>/", reset.open_reset_link, name="reset-password"),
    path("password-strength/", strength.password_strength, name="password-strength"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("saml/start/<str:account>/<str:provider_name>/", saml.saml_start, name="saml-start"),
    path("saml", saml.saml, name="saml"),
    path("saml/sign-in/", saml.saml_sign_in_with, name="saml-sign-in"),
    path("saml/choose/", saml.saml_choose, name="saml-choose"),
    path("federation", broker.federation, name="federation"),
    path("federation/go-on/", broker.go_on, name="federation-go-on"),
    path("signout/", sign_out.sign_out, name="sign-out"),
]
