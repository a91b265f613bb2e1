"""From a token to a person, with a real issuer answering over HTTP."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Account
from federation import key_sets
from federation.errors import ExpiredToken, IDPCommunicationError, InvalidIdentityToken
from federation.models import OIDCProvider
from federation.oidc import GOOGLE, SOURCE_IDENTITY, TAGS, WebIdentity, identity_of
from federation.services.oidc_providers import create_oidc_provider
from federation.services.web_identities import read_token
from identities.models import User
from tests.cast import ACME, GLOBEX, principal_of, root_of
from tests.federation.companies import private_key
from tests.federation.issuers import Issuer, rsa_jwk, send


@pytest.fixture
def provider(issuer: Issuer, alice: User) -> OIDCProvider:
    return create_oidc_provider(by=principal_of(alice), url=issuer.url, client_ids=["app", "web"])


def read(token: str, account_id: str = ACME) -> tuple[str, WebIdentity]:
    return read_token(account_id, token, datetime.now(UTC))


def test_a_good_token_is_a_person(issuer: Issuer, provider: OIDCProvider) -> None:
    arn, person = read(issuer.token(groups=["ops", "dev"], email_verified=True, address={"a": "b"}))
    assert (arn, person.subject, person.audience) == (provider.arn, "jane", "app")
    keys = person.condition_keys()
    assert keys[f"{issuer.name}:sub"] == ("jane",)
    assert keys[f"{issuer.name}:aud"] == keys[f"{issuer.name}:oaud"] == ("app",)
    assert keys[f"{issuer.name}:groups"] == ("ops", "dev")
    assert keys[f"{issuer.name}:email_verified"] == ("true",)
    assert f"{issuer.name}:address" not in keys


def test_who_asked_for_the_token_is_the_audience(issuer: Issuer, provider: OIDCProvider) -> None:
    _, person = read(issuer.token(aud=["web", "other"], azp="app"))
    keys = person.condition_keys()
    assert person.audience == "app"
    assert (keys[f"{issuer.name}:aud"], keys[f"{issuer.name}:oaud"]) == (("app",), ("web", "other"))


@pytest.mark.bar(110)
@pytest.mark.parametrize(
    ("aud", "azp"),
    [
        ("other", None),
        (["other"], None),
        ([], None),
        ("app", "other"),
        ("other", "app"),
        (None, "app"),
        ({"app": 1}, None),
        (["app", 1], None),
        ("app", ["app"]),
        ("app", ""),
        ("App", None),
    ],
)
def test_a_token_for_somebody_else_is_refused(issuer: Issuer, provider: OIDCProvider, aud: Any, azp: Any) -> None:
    with pytest.raises(InvalidIdentityToken, match="Incorrect token audience"):
        _checked_raw(issuer, aud, azp)


def _checked_raw(issuer: Issuer, aud: Any, azp: Any) -> None:
    """PyJWT checks what it signs, so the claims are checked as if signed."""
    claims = {**issuer.claims(aud=aud), **({} if azp is None else {"azp": azp})}
    try:
        identity_of(issuer.name, claims, {"app", "web"})
    except Exception as error:
        raise InvalidIdentityToken(str(error)) from error


def test_an_audience_of_the_provider_is_read_at_every_use(issuer: Issuer, provider: OIDCProvider) -> None:
    token = issuer.token(aud="web")
    read(token)
    provider.client_ids.filter(client_id="web").delete()
    with pytest.raises(InvalidIdentityToken, match="Incorrect token audience"):
        read(token)


@pytest.mark.bar(112)
@pytest.mark.parametrize("subject", [None, "", 7, ["jane"], "x" * 256])
def test_a_token_about_nobody_is_refused(subject: Any) -> None:
    with pytest.raises(Exception, match="names nobody"):
        identity_of("id.example.com", {"sub": subject, "aud": "app"}, {"app"})


@pytest.mark.bar(103)
def test_a_provider_that_is_gone_vouches_for_nobody(issuer: Issuer, provider: OIDCProvider) -> None:
    token = issuer.token()
    read(token)
    provider.delete()
    with pytest.raises(InvalidIdentityToken) as refused:
        read(token)
    assert refused.value.detail.startswith("No OpenIDConnect provider found in your account")


@pytest.mark.bar(92)
def test_a_token_that_proves_nothing_does_not_tell_whether_its_issuer_is_known(
    issuer: Issuer, provider: OIDCProvider
) -> None:
    forged = issuer.token()[:-8] + "AAAAAAAA"
    said, told = set(), set()
    for account_id, token in ((ACME, forged), (ACME, issuer.token(headers={"kid": "made-up"})), (GLOBEX, forged)):
        with pytest.raises(InvalidIdentityToken) as refused:
            read(token, account_id)
        said.add(refused.value.message)
        told.add(refused.value.detail)
    assert len(said) == 1 and len(told) == 3


@pytest.mark.bar(61)
def test_another_account_s_provider_is_none(issuer: Issuer, provider: OIDCProvider, globex: Account) -> None:
    with pytest.raises(InvalidIdentityToken, match="ID Token provided is not valid"):
        read(issuer.token(), GLOBEX)
    create_oidc_provider(by=root_of(globex), url=issuer.url, client_ids=["other"])
    with pytest.raises(InvalidIdentityToken, match="audience"):
        read(issuer.token(), GLOBEX)


def test_what_is_no_token_is_told_so(db: None) -> None:
    with pytest.raises(InvalidIdentityToken, match="is not a valid JWT"):
        read("hello")


def test_an_old_token_has_expired(issuer: Issuer, provider: OIDCProvider) -> None:
    now = int(datetime.now(UTC).timestamp())
    with pytest.raises(ExpiredToken):
        read(issuer.token(iat=now - 900, exp=now - 600))


def test_keys_are_fetched_once(issuer: Issuer, provider: OIDCProvider) -> None:
    for _ in range(3):
        read(issuer.token())
    assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]


def later(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own clock goes on; the tests' clock is that of the day."""
    real = time.monotonic
    monkeypatch.setattr("federation.key_sets.time.monotonic", lambda: real() + seconds)


@pytest.mark.bar(114)
def test_a_flood_of_unknown_keys_asks_once_a_minute(
    issuer: Issuer, provider: OIDCProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(issuer.token())
    for number in range(5):
        with pytest.raises(InvalidIdentityToken, match="ID Token provided is not valid"):
            read(issuer.token(headers={"kid": f"made-up-{number}"}))
    assert issuer.requests.count("/keys") == 1
    later(61, monkeypatch)
    issuer.keys = [rsa_jwk("next")]
    assert read(issuer.token(key=private_key("next"), headers={"kid": "next"}))[1].subject == "jane"
    assert issuer.requests.count("/keys") == 2


@pytest.mark.bar(114)
def test_slow_providers_keep_half_of_the_threads_at_most(
    issuer: Issuer, provider: OIDCProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.key_sets.PATIENCE_SECONDS", 0.01)
    with ExitStack() as others:
        for _ in range(settings.THREADS // 2):
            others.enter_context(key_sets.asking())
        with pytest.raises(IDPCommunicationError) as refused:
            read(issuer.token())
        assert "Too many" in refused.value.detail and not issuer.requests
    assert read(issuer.token())[1].subject == "jane"


@pytest.mark.bar(114)
def test_who_waited_for_room_takes_what_the_other_has_fetched(issuer: Issuer) -> None:
    with ThreadPoolExecutor() as threads:
        found = [threads.submit(key_sets.issuer_of, issuer.url) for _ in range(12)]
    assert {each.result().document["issuer"] for each in found} == {issuer.url}
    assert issuer.requests.count("/keys") <= settings.THREADS // 2


def broken_discovery(issuer: Issuer) -> Sequence[dict[str, Any]]:
    return [
        {},
        {**issuer.discovery, "issuer": f"{issuer.url}/"},
        {**issuer.discovery, "jwks_uri": None},
        {**issuer.discovery, "jwks_uri": "https://169.254.169.254/keys"},
        {**issuer.discovery, "jwks_uri": "file:///etc/hostname"},
        {**issuer.discovery, "jwks_uri": "https://["},
        {**issuer.discovery, "jwks_uri": f"{issuer.url}/nothing"},
    ]


@pytest.mark.bar(114, 120)
@pytest.mark.parametrize("number", range(7))
def test_an_issuer_that_does_not_answer_well_is_told_so(issuer: Issuer, provider: OIDCProvider, number: int) -> None:
    issuer.discovery = dict(broken_discovery(issuer)[number])
    for _ in range(3):
        with pytest.raises(IDPCommunicationError) as refused:
            read(issuer.token())
    assert issuer.requests.count("/.well-known/openid-configuration") == 1
    assert "169.254" not in refused.value.message


def test_an_answer_that_is_no_key_set_is_told_so(issuer: Issuer, provider: OIDCProvider) -> None:
    issuer.pages["/keys"] = lambda handler: send(handler, [1])
    with pytest.raises(IDPCommunicationError):
        read(issuer.token())


def test_tags_and_source_identity(issuer: Issuer, provider: OIDCProvider) -> None:
    claim: Any = {"principal_tags": {"Project": ["Automation"], "Cost": "7"}, "transitive_tag_keys": ["Project"]}
    claims: dict[str, Any] = {TAGS: claim, SOURCE_IDENTITY: "Jane"}
    _, person = read(issuer.token(**claims))
    assert person.tags == {"Project": "Automation", "Cost": "7"}
    assert (person.transitive_tag_keys, person.source_identity) == (("Project",), "Jane")
    assert not any("aws.amazon.com" in key for key in person.condition_keys())


BAD_TAGS: list[dict[str, Any]] = [
    {TAGS: "x"},
    {TAGS: {"principal_tags": []}},
    {TAGS: {"principal_tags": {"a": ["b", "c"]}}},
    {TAGS: {"principal_tags": {"a": 1}}},
    {TAGS: {"transitive_tag_keys": "a"}},
    {SOURCE_IDENTITY: ["a"]},
]


@pytest.mark.parametrize("claims", BAD_TAGS)
def test_malformed_tags_are_refused(issuer: Issuer, provider: OIDCProvider, claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidIdentityToken):
        read(issuer.token(**claims))


def test_google_is_known_by_its_host_and_both_its_names() -> None:
    person = identity_of(GOOGLE, {"sub": "1", "aud": "backend", "azp": "android"}, None)
    keys = person.condition_keys()
    assert keys["accounts.google.com:aud"] == ("android",)
    assert keys["accounts.google.com:oaud"] == ("backend",)


def test_cognito_s_amr_has_several_values() -> None:
    person = identity_of("cognito-identity.amazonaws.com", {"sub": "1", "aud": "pool", "amr": ["a", "b"]}, None)
    assert person.condition_keys()["cognito-identity.amazonaws.com:amr"] == ("a", "b")


def test_two_minutes_between_clocks_are_no_harm(issuer: Issuer, provider: OIDCProvider) -> None:
    token = issuer.token()
    read_token(ACME, token, datetime.now(UTC) - timedelta(seconds=110))
