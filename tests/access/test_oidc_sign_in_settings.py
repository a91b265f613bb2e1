"""Setting the console sign-in of an OpenID Connect provider up: the secret stays sealed, what is wrong is told."""

import json
from typing import Any

import pytest
from django.urls import reverse

from audit.models import Event
from federation.models import OIDCClientId
from federation.oidc_client import redirect_uri
from federation.services.oidc_providers import create_oidc_provider
from federation.services.oidc_sign_in import secret_of, set_sign_in
from iamconsole.management.commands.rotatekeys import reencrypt
from identities.models import User
from identities.secretbox import SecretBox
from tests.cast import browser_of, root_of
from tests.federation.issuers import Issuer

SETTINGS = "federation:create-open-id-connect-provider-sign-in"


@pytest.mark.bar(78, 79)
def test_the_secret_is_kept_sealed_and_never_shown(alice: User, issuer: Issuer, settings: Any) -> None:
    provider = create_oidc_provider(by=root_of(alice.account), url=issuer.url, client_ids=["app", "web"])
    browser, address = browser_of(alice), reverse(SETTINGS, args=[provider.url])
    form = {"client": "app", "secret": "quiet harbour", "scopes": "openid email", "enabled": "on"}
    page = browser.post(address, form, follow=True).content.decode()
    assert redirect_uri(provider) in page and "quiet harbour" not in page
    row = OIDCClientId.objects.exclude(scopes="").get()
    assert secret_of(row) == "quiet harbour" and "quiet" not in row.secret_encrypted
    assert not any("quiet" in json.dumps(event.detail) for event in Event.objects.all())
    browser.post(address, {**form, "secret": "", "scopes": "openid"})
    row.refresh_from_db()
    assert secret_of(row) == "quiet harbour" and row.scopes == "openid"
    assert reencrypt(SecretBox([("new", bytes(range(32))), *settings.ENCRYPTION_KEYS])) == 1
    set_sign_in(by=root_of(alice.account), provider=provider, client_id="web", secret=None)
    assert secret_of(OIDCClientId.objects.exclude(scopes="").get()) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scopes": "email"}, "openid is one of them"),
        ({"client": "nobody"}, "Select a valid choice"),
        ({"no_secret": "on"}, "not both"),
    ],
)
def test_a_wrong_setting_is_told_at_its_field(alice: User, issuer: Issuer, wrong: Any, said: str) -> None:
    provider = create_oidc_provider(by=root_of(alice.account), url=issuer.url, client_ids=["app"])
    form = {"client": "app", "secret": "x", "scopes": "openid", **wrong}
    page = browser_of(alice).post(reverse(SETTINGS, args=[provider.url]), form).content.decode()
    assert said in page and not OIDCClientId.objects.exclude(scopes="").exists()
