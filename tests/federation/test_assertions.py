"""From a SAML response to a person: which provider is believed, and only once."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from federation import sp
from federation.errors import ExpiredToken, InvalidIdentityToken, UnprovenToken
from federation.models import SAMLProvider, UsedOnce
from federation.services.assertions import provider_with_keys, redeem
from federation.services.saml_providers import create_saml_provider, set_use, update_saml_provider
from identities.models import User
from tests.cast import principal_of
from tests.federation.companies import certificate_pem, key_descriptor, metadata, pem
from tests.federation.forge import Sent, encoded, encrypted, signed
from tests.rig.races import THREADS, race


@pytest.fixture
def provider(alice: User) -> SAMLProvider:
    return create_saml_provider(by=principal_of(alice), name="corp", metadata=metadata())


def sent(**changes: object) -> Sent:
    here = {"audience": sp.entity_id(), "recipient": sp.acs_url(), "destination": sp.acs_url()}
    return Sent(**{**here, **changes})  # type: ignore[arg-type] # the tests' own fields


def good(**changes: object) -> str:
    return encoded(signed(sent(**changes)))


def now() -> datetime:
    return datetime.now(UTC)


def test_a_good_response_is_a_person(provider: SAMLProvider) -> None:
    assert redeem(provider, good(), now()).name_id == "jane@corp.example"


def test_set_ups_made_for_aws_work_with_another_address(provider: SAMLProvider) -> None:
    assert redeem(provider, good(audience="urn:amazon:webservices"), now()).name_id == "jane@corp.example"
    meant_for_aws = good(audience="urn:amazon:webservices", recipient="https://signin.aws.amazon.com/saml")
    with pytest.raises(InvalidIdentityToken):
        redeem(provider, meant_for_aws, now())


def cost(provider: SAMLProvider | None, response: str) -> float:
    """The processor's time for a refusal, the best of several."""
    spent = []
    for _ in range(7):
        begun = time.process_time()
        with pytest.raises(UnprovenToken, match="Response signature invalid"):
            redeem(provider, response, now())
        spent.append(time.process_time() - begun)
    return min(spent)


@pytest.mark.bar(85, 92)
@pytest.mark.parametrize("response", [encoded(signed(key="stranger")), encoded(Sent().tree()), "aGVsbG8="])
def test_how_long_a_refusal_takes_tells_nothing_of_whether_there_is_a_provider(
    provider: SAMLProvider, response: str
) -> None:
    known = provider_with_keys(provider.account_id, provider.name)
    assert known is not None
    there = cost(known, response)
    assert abs(cost(None, response) - there) < max(there / 2, 0.0005)
    known.disabled_at = now()
    assert abs(cost(known, response) - there) < max(there / 2, 0.0005)


@pytest.mark.bar(102)
def test_an_assertion_counts_once(provider: SAMLProvider) -> None:
    response = good()
    redeem(provider, response, now())
    with pytest.raises(InvalidIdentityToken, match="used before"):
        redeem(provider, response, now())
    redeem(provider, good(assertion_id="_another"), now())


@pytest.mark.bar(102)
@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_counts(provider: SAMLProvider) -> None:
    response = good()
    assert race(lambda _: redeem(provider, response, now()), InvalidIdentityToken) == THREADS - 1


@pytest.mark.bar(102)
def test_what_was_used_is_forgotten_only_when_it_is_over(provider: SAMLProvider) -> None:
    begun = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
    with time_machine.travel(begun, tick=False) as clock:
        response = good(at=begun, lifetime=timedelta(minutes=2))
        redeem(provider, response, now())
        clock.move_to(begun + timedelta(minutes=3))
        with pytest.raises(InvalidIdentityToken, match="used before"):
            redeem(provider, response, now())
        clock.move_to(begun + timedelta(minutes=5))
        with pytest.raises(ExpiredToken):
            redeem(provider, response, now())
        redeem(provider, good(at=now(), assertion_id="_later"), now())
        assert UsedOnce.objects.count() == 1


@pytest.mark.bar(103)
def test_a_provider_that_is_switched_off_is_not_believed(provider: SAMLProvider, alice: User) -> None:
    by = principal_of(alice)
    off = set_use(by=by, provider=provider, enabled=False, starts_sign_in=False)
    with pytest.raises(InvalidIdentityToken, match="Response signature invalid"):
        redeem(off, good(), now())
    on = set_use(by=by, provider=provider, enabled=True, starts_sign_in=False)
    redeem(on, good(), now())


@pytest.mark.bar(92, 103)
def test_an_outsider_learns_one_thing_only(provider: SAMLProvider, alice: User) -> None:
    said = set()
    attempts = [
        (None, good()),
        (provider, "AAAA"),
        (provider, "not base64"),
        (provider, encoded(sent().tree())),
        (provider, encoded(signed(sent(), key="attacker"))),
        (provider, encoded(signed(sent(issuer="https://idp.other.example"), key="attacker"))),
    ]
    for who, response in attempts:
        with pytest.raises(InvalidIdentityToken) as refused:
            redeem(who, response, now())
        said.add((refused.value.code, refused.value.message))
    assert said == {("InvalidIdentityToken", "Response signature invalid")}


@pytest.mark.bar(103)
def test_keys_are_those_of_the_metadata_of_now(provider: SAMLProvider, alice: User) -> None:
    fresh = update_saml_provider(by=principal_of(alice), provider=provider, metadata=metadata(key_descriptor("next")))
    with pytest.raises(InvalidIdentityToken):
        redeem(fresh, good(), now())
    assert redeem(fresh, encoded(signed(sent(), key="next")), now()).name_id


def test_metadata_that_is_out_of_date_is_not_believed(alice: User) -> None:
    old = metadata(more=' validUntil="2020-01-01T00:00:00Z"')
    provider = create_saml_provider(by=principal_of(alice), name="old", metadata=old)
    with pytest.raises(InvalidIdentityToken) as refused:
        redeem(provider, good(), now())
    assert "out of date" in refused.value.detail


def test_an_encrypted_assertion_is_read_where_it_is_required(alice: User) -> None:
    provider = create_saml_provider(
        by=principal_of(alice),
        name="sealed",
        metadata=metadata(),
        encryption_mode="Required",
        private_key=pem("ours"),
    )
    with pytest.raises(InvalidIdentityToken):
        redeem(provider, good(), now())
    sealed = encrypted(signed(sent()), certificate=certificate_pem("ours"))
    assert redeem(provider, encoded(sealed), now()).name_id == "jane@corp.example"


@pytest.mark.bar(102)
def test_one_without_an_end_is_good_for_five_minutes_and_once(provider: SAMLProvider) -> None:
    text = encoded(signed(sent(lifetime=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - now())))
    assert redeem(provider, text, now()).name_id == "jane@corp.example"
    with pytest.raises(InvalidIdentityToken, match="used before"):
        redeem(provider, text, now())
    with time_machine.travel(now() + timedelta(minutes=7, seconds=2)), pytest.raises(ExpiredToken):
        redeem(provider, text, now())
