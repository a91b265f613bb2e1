from django.urls import path

from federation.views import published

app_name = "federation"
urlpatterns = [
    path("saml/metadata", published.saml_metadata, name="saml-metadata"),
    path("tokens/<uuid:public_id>/.well-known/openid-configuration", published.token_configuration, name="tokens"),
    path("tokens/<uuid:public_id>/.well-known/jwks.json", published.token_keys, name="token-keys"),
]
