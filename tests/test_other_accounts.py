"""Every address with the names of another account: the answer is the one for what has never been there."""

import re
from typing import Any

import pytest

from accounts.models import Account
from identities.models import User
from tests import addresses
from tests.addresses import PATTERNS, address
from tests.cast import browser_of

acme, alice = addresses.acme, addresses.alice

# As long as the words of Acme that they stand for, and nobody's.
NOBODYS = {
    "user_name": "alicf",
    "group_name": "Nookers",
    "role_name": "Warker",
    "machine_name": "build-9",
    "profile_name": "wob",
    "policy_name": "nook",
    "version_id": "v2",
    "access_key_id": "AKIARTX3GSDSQAAAAAAA",
    "device_name": "phony",
    "ssh_public_key_id": "APKAQAAAAAAAAAAAAAAAA",
    "certificate_name": "nook.example.com",
    "certificate_id": "Q" * 32,
    "credential_id": "ACCAQAAAAAAAAAAAAAAAA",
    "event_id": "11111111-0000-4000-8000-000000000000",
    "session_id": "11111111-0000-4000-8000-000000000000",
}
OF_ONE_THING = sorted(name for name in PATTERNS if set(PATTERNS[name].pattern.converters) & set(NOBODYS))
# What differs between any two answers: the CSRF token, and the times that forms carry.
CHANGING = re.compile(r'(csrfmiddlewaretoken" value="|X-CSRFToken&quot;: &quot;|X-CSRFToken": ")\w+')


def plain(text: str, used: dict[str, Any]) -> str:
    text = CHANGING.sub(r"\1", text)
    for word, value in used.items():
        text = text.replace(value, f"<{word}>") if isinstance(value, str) else text
    return text


@pytest.mark.bar(61, 127)
@pytest.mark.parametrize("name", OF_ONE_THING)
def test_what_another_account_has_is_as_what_nobody_has(
    name: str,
    words: dict[str, Any],
    mallory: User,
    globex: Account,
) -> None:
    for who in (mallory, globex):
        browser = browser_of(who)
        for send in (browser.get, browser.post):
            answers = []
            for used in (words, words | NOBODYS):
                reply = send(address(name, used), {"confirmation": "x"})
                mine = {word: used[word] for word in PATTERNS[name].pattern.converters}
                text = plain(reply.content.decode() + reply.headers.get("Location", ""), mine)
                answers.append((reply.status_code, text))
            assert answers[0] == answers[1]
