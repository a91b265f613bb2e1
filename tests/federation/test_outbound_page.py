from typing import Any

import pytest
from django.urls import reverse

from audit.models import Event
from federation.models import TokenIssuer
from federation.services import outbound
from identities.models import User
from tests.cast import allow, browser_of, principal_of

PAGE = reverse("federation:get-outbound-web-identity-federation-info")
ENABLE = reverse("federation:enable-outbound-web-identity-federation")
DISABLE = reverse("federation:disable-outbound-web-identity-federation")


def text_of(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


def test_it_is_switched_on_and_off_and_keeps_its_address(alice: User) -> None:
    browser = browser_of(alice)
    assert "Switch on" in text_of(browser.get(PAGE)) and not TokenIssuer.objects.exists()
    shown = text_of(browser.post(ENABLE, follow=True))
    address = outbound.issuer_url(TokenIssuer.objects.get())
    assert address in shown and "No signing keys yet" in shown and "get-web-identity-token" in shown
    assert "an hour at most" in text_of(browser.get(DISABLE)) and TokenIssuer.objects.get().is_enabled
    shown = text_of(browser.post(DISABLE, follow=True))
    assert address in shown and "Switch on" in shown and not TokenIssuer.objects.get().is_enabled
    assert list(Event.objects.order_by("id").values_list("action", flat=True)) == [
        "iam:EnableOutboundWebIdentityFederation",
        "iam:DisableOutboundWebIdentityFederation",
    ]


def test_links_lead_to_what_verifiers_read(alice: User) -> None:
    by = principal_of(alice)
    issuer = outbound.enable_outbound_web_identity_federation(by=by)
    outbound.get_web_identity_token(by=by, audiences=["x"], algorithm="ES384")
    reply = browser_of(alice).get(PAGE)
    [key] = [each["key"] for each in reply.context["keys"]]
    assert key.key_id in text_of(reply) and "In use" in text_of(reply) and "PRIVATE" not in text_of(reply)
    configuration = reverse("federation:tokens", args=[issuer.public_id])
    keys = reverse("federation:token-keys", args=[issuer.public_id])
    assert f'href="{configuration}"' in text_of(reply) and f'href="{keys}"' in text_of(reply)
    assert browser_of(alice).get(keys).json()["keys"][0]["kid"] == key.key_id


@pytest.mark.parametrize(("address", "status"), [(ENABLE, 400), (DISABLE, 400)])
def test_a_stale_button_says_so(alice: User, address: str, status: int) -> None:
    browser = browser_of(alice)
    if address == ENABLE:
        browser.post(ENABLE)
    reply = browser.post(address)
    assert reply.status_code == status and "enabled for your account" in text_of(reply)


def test_reading_and_switching_are_permissions_of_their_own(bob: User) -> None:
    browser = browser_of(bob)
    assert browser.get(PAGE).status_code == 403
    allow(bob, "iam:GetOutboundWebIdentityFederationInfo")
    assert "needs <code>iam:EnableOutboundWebIdentityFederation</code>" in text_of(browser.get(PAGE))
    assert browser.post(ENABLE).status_code == 403 and browser.post(DISABLE).status_code == 403


def test_another_accounts_issuer_is_not_shown(alice: User, mallory: User) -> None:
    issuer = outbound.enable_outbound_web_identity_federation(by=principal_of(alice))
    assert str(issuer.public_id) not in text_of(browser_of(mallory).get(PAGE))
