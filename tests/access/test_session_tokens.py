"""Session tokens as sealed texts: what goes in comes out, and nothing else does."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.session_tokens import SessionClaims, TokenUnreadable, open_token, packed_percent, seal
from audit.principal import SessionPolicies
from identities.secretbox import SecretBox

BOX = SecretBox([("new", b"n" * 32), ("old", b"o" * 32)])
KEY_ID = "ASIAQEAAAAAAAAAAAAAA"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

texts = st.text(max_size=40)
claims = st.builds(
    SessionClaims,
    made_by=st.sampled_from(["AssumeRole", "GetSessionToken", "GetFederationToken"]),
    account_id=st.just("111122223333"),
    issuer_id=texts,
    secret=texts,
    issued_at=st.just(NOW),
    expires_at=st.just(NOW + timedelta(hours=1)),
    name=texts,
    source_key=texts,
    mfa_at=st.sampled_from([None, NOW]),
    source_identity=texts,
    provider=texts,
    begun_by=texts,
    policies=st.none() | st.builds(SessionPolicies, texts, st.lists(texts, max_size=10).map(tuple)),
    tags=st.dictionaries(texts, texts, max_size=5),
    transitive_keys=st.just(()),
)


@pytest.mark.bar(89)
@given(claims)
def test_what_goes_in_comes_out(said: SessionClaims) -> None:
    assert open_token(seal(said, KEY_ID, BOX), KEY_ID, BOX) == said


def test_a_token_of_a_release_that_did_not_tell_who_began_it_opens() -> None:
    said = SessionClaims("AssumeRole", "111122223333", "AROAX", "s" * 40, NOW, NOW, "ci", begun_by="AIDAX")
    head, _, rest = BOX.open_bytes(seal(said, KEY_ID, BOX), f"session-token:{KEY_ID}").partition(b"\n")
    earlier = json.dumps(json.loads(head)[:-1]).encode() + b"\n" + rest
    token = BOX.seal_bytes(earlier, f"session-token:{KEY_ID}")
    assert open_token(token, KEY_ID, BOX) == replace(said, begun_by="")


@pytest.mark.bar(89)
@given(claims, st.data())
def test_every_flipped_bit_of_a_token_fails(said: SessionClaims, data: st.DataObject) -> None:
    token = seal(said, KEY_ID, BOX)
    at = data.draw(st.integers(0, len(token) - 1))
    flipped = chr(ord(token[at]) ^ (1 << data.draw(st.integers(0, 6))))
    with pytest.raises(TokenUnreadable):
        open_token(token[:at] + flipped + token[at + 1 :], KEY_ID, BOX)


@pytest.mark.bar(89)
@pytest.mark.parametrize("name", ["", "a", "ab"])
def test_every_bit_of_a_token_is_looked_at(name: str) -> None:
    """In all three lengths that base64 pads differently: its last letter has bits that mean nothing."""
    said = SessionClaims("AssumeRole", "111122223333", "AROAX", "s" * 40, NOW, NOW, name)
    token = seal(said, KEY_ID, BOX)
    for at, letter in enumerate(token):
        for bit in range(7):
            with pytest.raises(TokenUnreadable):
                open_token(f"{token[:at]}{chr(ord(letter) ^ (1 << bit))}{token[at + 1 :]}", KEY_ID, BOX)


@pytest.mark.bar(89)
@pytest.mark.parametrize("broken", ["", "1", "1.new", "1.new.", "1.new.AAAA", "2.new.AAAA", "1.gone.AAAA", "x" * 9000])
def test_what_is_no_token_is_refused(broken: str) -> None:
    with pytest.raises(TokenUnreadable):
        open_token(broken, KEY_ID, BOX)


@pytest.mark.bar(89)
def test_a_token_opens_for_its_own_key_only_and_is_no_other_secret() -> None:
    said = SessionClaims("AssumeRole", "111122223333", "AROAX", "s" * 40, NOW, NOW)
    with pytest.raises(TokenUnreadable):
        open_token(seal(said, KEY_ID, BOX), "ASIAQEAAAAAAAAAAAAAB", BOX)
    with pytest.raises(TokenUnreadable):
        open_token(BOX.seal("{}", f"access-key:{KEY_ID}"), KEY_ID, BOX)


def test_a_new_encryption_key_leaves_live_tokens_alone() -> None:
    said = SessionClaims("AssumeRole", "111122223333", "AROAX", "s" * 40, NOW, NOW)
    before = SecretBox([("old", b"o" * 32)])
    assert open_token(seal(said, KEY_ID, before), KEY_ID, BOX) == said


def test_the_secret_does_not_show() -> None:
    assert "hush" not in repr(SessionClaims("AssumeRole", "111122223333", "AROAX", "hush", NOW, NOW))


def test_policies_and_tags_take_their_share_of_the_room() -> None:
    assert packed_percent(None, {}) == 0
    assert 0 < packed_percent(SessionPolicies("{}"), {}) <= 2
    assert packed_percent(None, {f"key{n}": token_hex(100) for n in range(50)}) > 50
