"""Our identities going out: tokens that a service elsewhere verifies with what we publish."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.test import Client
from jwt import PyJWKSet

from audit.models import Event
from federation.models import TokenIssuer, TokenSigningKey
from federation.services import outbound
from identities.models import User, UserTag
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow, principal_of
from tests.rig.races import race

FACTS = "https://sts.amazonaws.com/"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def enabled(program: Program) -> str:
    return str(program.iam("EnableOutboundWebIdentityFederation")["IssuerIdentifier"])


def token(program: Program, **inputs: Any) -> str:
    asked = {"Audience": ["https://api.example.com"], "SigningAlgorithm": "RS256", **inputs}
    return str(program.sts("GetWebIdentityToken", **asked)["WebIdentityToken"])


def published(issuer: str) -> tuple[Any, Any]:
    path = issuer.partition("//")[2].partition("/")[2]
    configuration = Client().get(f"/{path}/.well-known/openid-configuration").json()
    assert configuration["jwks_uri"].startswith(issuer)
    return configuration, Client().get(f"/{path}/.well-known/jwks.json").json()


def verified(text: str, issuer: str, audience: str = "https://api.example.com") -> Any:
    """As a service elsewhere does it."""
    configuration, keys = published(issuer)
    key = PyJWKSet.from_dict(keys)[jwt.get_unverified_header(text)["kid"]]
    algorithms = configuration["id_token_signing_alg_values_supported"]
    return jwt.decode(text, key, algorithms=algorithms, audience=audience, issuer=configuration["issuer"])


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_service_elsewhere_verifies_it(program: Program, alice: User, algorithm: str) -> None:
    UserTag.objects.create(user=alice, key="team", value="red")
    issuer = enabled(program)
    text = token(program, SigningAlgorithm=algorithm, Tags=[{"Key": "job", "Value": "7"}])
    claims = verified(text, issuer)
    assert (claims["iss"], claims["sub"], claims["exp"] - claims["iat"]) == (issuer, alice.arn, 300)
    assert claims[FACTS]["aws_account"] == alice.account_id
    assert claims[FACTS]["principal_tags"] == {"team": "red"}
    assert claims[FACTS]["request_tags"] == {"job": "7"}


def test_several_audiences_are_a_list(program: Program) -> None:
    issuer = enabled(program)
    assert verified(token(program, Audience=["a", "b"]), issuer, "b")["aud"] == ["a", "b"]


def refusal(program: Program, service: str, operation: str, **inputs: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.call(service, operation, **inputs)
    return refused.value.status, refused.value.code


ASKED = {"Audience": ["a"], "SigningAlgorithm": "RS256"}


def test_it_is_off_until_it_is_switched_on(program: Program) -> None:
    info = "GetOutboundWebIdentityFederationInfo"
    assert refusal(program, "iam", info) == (404, "FeatureDisabled")
    assert refusal(program, "iam", "DisableOutboundWebIdentityFederation") == (404, "FeatureDisabled")
    off = refusal(program, "sts", "GetWebIdentityToken", **ASKED)
    assert off == (403, "OutboundWebIdentityFederationDisabledException")
    issuer = enabled(program)
    assert program.iam(info)["JwtVendingEnabled"] is True
    assert refusal(program, "iam", "EnableOutboundWebIdentityFederation") == (409, "FeatureEnabled")
    text = token(program)
    program.iam("DisableOutboundWebIdentityFederation")
    assert refusal(program, "sts", "GetWebIdentityToken", **ASKED)[0] == 403
    assert verified(text, issuer)
    assert enabled(program) == issuer


def test_wrong_wishes_are_refused(program: Program) -> None:
    enabled(program)
    short, long = {"DurationSeconds": 59}, {"DurationSeconds": 3601}
    wishes: list[dict[str, Any]] = [{"SigningAlgorithm": "HS256"}, short, long, {"Audience": []}]
    for wrong in wishes:
        assert refusal(program, "sts", "GetWebIdentityToken", **{**ASKED, **wrong})[1] == "ValidationError"
    many = [{"Key": f"key-{number}", "Value": "x" * 256} for number in range(50)]
    too_large = refusal(program, "sts", "GetWebIdentityToken", **ASKED, Tags=many)
    assert too_large == (400, "JWTPayloadSizeExceededException")


def test_it_does_not_outlive_the_session_that_asks(alice: User) -> None:
    by = principal_of(alice)
    outbound.enable_outbound_web_identity_federation(by=by)
    soon = datetime.now(UTC) + timedelta(seconds=200)
    with pytest.raises(outbound.DurationEscalation):
        outbound.get_web_identity_token(by=by, audiences=["a"], algorithm="ES384", session_ends_at=soon)
    outbound.get_web_identity_token(by=by, audiences=["a"], algorithm="ES384", seconds=100, session_ends_at=soon)


def test_conditions_see_what_is_asked(program: Program, program_of: ProgramOf, bob: User) -> None:
    enabled(program)
    only = {"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "https://api.example.com"}}
    short = {"NumericLessThanEquals": {"sts:DurationSeconds": "300"}}
    allow(bob, "sts:GetWebIdentityToken", Condition={**only, **short})
    bobs = program_of(bob)
    token(bobs)
    wishes: list[dict[str, Any]] = [{"Audience": ["https://api.example.com", "other"]}, {"DurationSeconds": 301}]
    for wrong in wishes:
        with pytest.raises(Refused, match="AccessDenied"):
            token(bobs, **wrong)


def test_tags_are_vouched_for_only_by_who_may_set_them(program: Program, program_of: ProgramOf, bob: User) -> None:
    issuer = enabled(program)
    allow(bob, "sts:GetWebIdentityToken")
    allow(bob, "sts:TagGetWebIdentityToken", name="red", Condition={"StringEquals": {"aws:RequestTag/team": "red"}})
    bobs = program_of(bob)
    with pytest.raises(Refused, match="sts:TagGetWebIdentityToken"):
        token(bobs, Tags=[{"Key": "team", "Value": "blue"}])
    claims = verified(token(bobs, Tags=[{"Key": "team", "Value": "red"}]), issuer)
    assert claims[FACTS]["request_tags"] == {"team": "red"}


@pytest.mark.bar(79)
def test_keys_are_sealed_and_tokens_are_in_no_record(program: Program) -> None:
    enabled(program)
    text = token(program)
    assert "PRIVATE" not in TokenSigningKey.objects.get().key_encrypted
    assert set(TokenSigningKey.objects.get().public_jwk) == {"kty", "n", "e", "kid", "alg", "use"}
    event = Event.objects.get(action="sts:GetWebIdentityToken")
    assert text not in str(event.detail) and event.detail["id"]


def test_keys_change_and_old_tokens_stay_good(program: Program) -> None:
    begun = datetime(2027, 1, 1, tzinfo=UTC)
    with time_machine.travel(begun, tick=False) as clock:
        issuer = enabled(program)
        token(program)
        clock.move_to(begun + outbound.USED_FOR - timedelta(seconds=1))
        text = token(program, DurationSeconds=3600)
        clock.move_to(begun + outbound.USED_FOR + timedelta(minutes=30))
        fresh = token(program)
        assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(text)["kid"]
        assert verified(text, issuer) and verified(fresh, issuer)
        clock.move_to(begun + outbound.USED_FOR + timedelta(hours=3))
        assert len(published(issuer)[1]["keys"]) == 1


@pytest.mark.bar(74)
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_use_one_key(alice: User) -> None:
    by = principal_of(alice)
    outbound.enable_outbound_web_identity_federation(by=by)
    race(lambda _: outbound.get_web_identity_token(by=by, audiences=["a"], algorithm="ES384"), RuntimeError)
    assert TokenSigningKey.objects.count() == 1


def test_accounts_have_issuers_of_their_own(program: Program, program_of: ProgramOf, mallory: User) -> None:
    theirs = program_of(mallory)
    assert enabled(program) != enabled(theirs)
    token(program), token(theirs)
    assert published(enabled_url(program))[1] != published(enabled_url(theirs))[1]


def enabled_url(program: Program) -> str:
    return str(program.iam("GetOutboundWebIdentityFederationInfo")["IssuerIdentifier"])


def test_an_unknown_issuer_is_not_found(db: None) -> None:
    assert Client().get(f"/tokens/{uuid.uuid4()}/.well-known/jwks.json").status_code == 404
    assert not TokenIssuer.objects.exists()
