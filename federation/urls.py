from django.urls import path

from federation.views import list_providers, oidc_providers, outbound, published, saml_providers

app_name = "federation"

_SAML = "identity-providers/saml"
# An issuer's URL has slashes of its own, so it comes last.
_OIDC = "identity-providers/oidc"
_OUTBOUND = "account/outbound-federation/"
_TOKENS = "tokens/<uuid:public_id>/.well-known"

urlpatterns = [
    path("identity-providers/", list_providers.list_identity_providers, name="list-identity-providers"),
    path(f"{_SAML}/create/", saml_providers.create_saml_provider, name="create-saml-provider"),
    path(f"{_SAML}/at/<provider_name>/", saml_providers.get_saml_provider, name="get-saml-provider"),
    path(f"{_SAML}/at/<provider_name>/update/", saml_providers.update_saml_provider, name="update-saml-provider"),
    path(f"{_SAML}/at/<provider_name>/delete/", saml_providers.delete_saml_provider, name="delete-saml-provider"),
    path(f"{_SAML}/at/<provider_name>/tag/", saml_providers.tag_saml_provider, name="tag-saml-provider"),
    path(f"{_SAML}/at/<provider_name>/untag/", saml_providers.untag_saml_provider, name="untag-saml-provider"),
    path(f"{_OIDC}/create/", oidc_providers.create_open_id_connect_provider, name="create-open-id-connect-provider"),
    path(
        f"{_OIDC}/at/<path:provider_url>",
        oidc_providers.get_open_id_connect_provider,
        name="get-open-id-connect-provider",
    ),
    path(
        f"{_OIDC}/add-client-id/<path:provider_url>",
        oidc_providers.add_client_id,
        name="add-client-id-to-open-id-connect-provider",
    ),
    path(
        f"{_OIDC}/remove-client-id/<path:provider_url>",
        oidc_providers.remove_client_id,
        name="remove-client-id-from-open-id-connect-provider",
    ),
    path(
        f"{_OIDC}/sign-in/<path:provider_url>",
        oidc_providers.set_console_sign_in,
        name="create-open-id-connect-provider-sign-in",
    ),
    path(
        f"{_OIDC}/thumbprints/<path:provider_url>",
        oidc_providers.update_thumbprints,
        name="update-open-id-connect-provider-thumbprint",
    ),
    path(
        f"{_OIDC}/delete/<path:provider_url>",
        oidc_providers.delete_open_id_connect_provider,
        name="delete-open-id-connect-provider",
    ),
    path(
        f"{_OIDC}/tag/<path:provider_url>",
        oidc_providers.tag_open_id_connect_provider,
        name="tag-open-id-connect-provider",
    ),
    path(
        f"{_OIDC}/untag/<path:provider_url>",
        oidc_providers.untag_open_id_connect_provider,
        name="untag-open-id-connect-provider",
    ),
    path(
        _OUTBOUND,
        outbound.get_outbound_web_identity_federation_info,
        name="get-outbound-web-identity-federation-info",
    ),
    path(
        f"{_OUTBOUND}enable/",
        outbound.enable_outbound_web_identity_federation,
        name="enable-outbound-web-identity-federation",
    ),
    path(
        f"{_OUTBOUND}disable/",
        outbound.disable_outbound_web_identity_federation,
        name="disable-outbound-web-identity-federation",
    ),
    path("saml/metadata", published.saml_metadata, name="saml-metadata"),
    path(f"{_TOKENS}/openid-configuration", published.token_configuration, name="tokens"),
    path(f"{_TOKENS}/jwks.json", published.token_keys, name="token-keys"),
]
