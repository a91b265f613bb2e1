"""OpenID Connect providers by program."""

from typing import Any

import pytest

from accounts.models import Account
from audit.errors import EntityAlreadyExists
from audit.models import Event
from federation.models import OIDCProvider
from federation.services.oidc_providers import create_oidc_provider
from federation.services.oidc_sign_in import enabled_sign_ins, set_sign_in
from identities.models import User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import ACME, principal_of
from tests.rig.races import THREADS, race

ARN = f"arn:aws:iam::{ACME}:oidc-provider/id.example.com/tenant"
URL = "https://id.example.com/tenant"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def create(program: Program, **inputs: Any) -> Any:
    return program.iam("CreateOpenIDConnectProvider", **{"Url": URL, "ClientIDList": ["app"], **inputs})


def got(program: Program) -> Any:
    return program.iam("GetOpenIDConnectProvider", OpenIDConnectProviderArn=ARN)


def test_it_creates_and_tells_the_url_without_its_scheme(program: Program) -> None:
    prints = ["A" * 40]
    made = create(program, ThumbprintList=prints, Tags=[{"Key": "team", "Value": "red"}])
    assert made["OpenIDConnectProviderArn"] == ARN
    provider = got(program)
    assert (provider["Url"], provider["ClientIDList"]) == ("id.example.com/tenant", ["app"])
    assert provider["ThumbprintList"] == ["a" * 40]
    assert provider["Tags"] == [{"Key": "team", "Value": "red"}]
    assert program.iam("ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == [{"Arn": ARN}]


def test_an_issuer_is_known_once_and_compared_exactly(program: Program) -> None:
    create(program)
    with pytest.raises(Refused) as refused:
        create(program)
    assert (refused.value.status, refused.value.message) == (409, f"Provider with url {URL} already exists.")
    create(program, Url=f"{URL}/")
    create(program, Url="https://id.example.com/Tenant")


BAD_URLS = [
    "http://id.example.com",
    "https://id.example.com:8443",
    "https://id.example.com/?a=b",
    "https://id.example.com/#a",
    "https://user@id.example.com",
    "https://localhost",
    "https://[::1]",
    "https://a b.example.com",
    "ftp://id.example.com",
    "id.example.com",
    "http://127.0.0.1:8080",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_it_refuses_other_urls(program: Program, url: str) -> None:
    with pytest.raises(Refused) as refused:
        create(program, Url=url)
    assert refused.value.code == "InvalidInput"


def test_a_provider_on_this_machine_takes_the_setting_for_development(program: Program, settings: Any) -> None:
    settings.FEDERATION_ALLOW_LOOPBACK = True
    assert create(program, Url="http://127.0.0.1:8080")["OpenIDConnectProviderArn"].endswith("/127.0.0.1:8080")
    with pytest.raises(Refused):
        create(program, Url="http://192.0.2.1:8080")


def test_audiences_come_and_go(program: Program) -> None:
    create(program)
    for name in ("web", "web"):
        program.iam("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=ARN, ClientID=name)
    assert got(program)["ClientIDList"] == ["app", "web"]
    for name in ("app", "nothing"):
        program.iam("RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=ARN, ClientID=name)
    assert got(program)["ClientIDList"] == ["web"]


@pytest.mark.parametrize("operation", ["RemoveClientIDFrom", "Delete"])
def test_the_console_sign_in_goes_with_its_audience_and_the_trail_tells_it(
    program: Program, alice: User, operation: str
) -> None:
    create(program, ClientIDList=["app", "web"], Tags=[{"Key": "team", "Value": "red"}])
    set_sign_in(by=principal_of(alice), provider=OIDCProvider.objects.get(), client_id="app", secret="quiet harbour")
    told = {"client_id": "app", "scopes": "openid profile email", "enabled": True, "listed": False}
    inputs = {"OpenIDConnectProviderArn": ARN, "ClientID": "app"}
    wanted = inputs if operation == "RemoveClientIDFrom" else {"OpenIDConnectProviderArn": ARN}
    program.iam(f"{operation}OpenIDConnectProvider", **wanted)
    event = Event.objects.get(action=f"iam:{operation}OpenIDConnectProvider").detail
    assert (event["before"]["console_sign_in"], event["before"]["client_ids"]) == (told, ["app", "web"])
    assert "console_sign_in" not in event.get("after", {}) and not enabled_sign_ins().exists()
    if operation == "RemoveClientIDFrom":
        program.iam("AddClientIDToOpenIDConnectProvider", **inputs)
        assert not enabled_sign_ins().exists()


def test_a_hundred_audiences_are_the_limit(program: Program) -> None:
    create(program, ClientIDList=[f"app-{number}" for number in range(100)])
    with pytest.raises(Refused) as refused:
        program.iam("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=ARN, ClientID="one-more")
    assert refused.value.message == "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"


def test_thumbprints_are_replaced_and_five_at_most(program: Program) -> None:
    create(program, ThumbprintList=["a" * 40])
    change = "UpdateOpenIDConnectProviderThumbprint"
    program.iam(change, OpenIDConnectProviderArn=ARN, ThumbprintList=["b" * 40, "c" * 40])
    assert got(program)["ThumbprintList"] == ["b" * 40, "c" * 40]
    for bad in (["d" * 40] * 6, ["e" * 39], ["g" * 40]):
        with pytest.raises(Refused):
            program.iam(change, OpenIDConnectProviderArn=ARN, ThumbprintList=bad)


def test_deleting_twice_is_no_error(program: Program) -> None:
    create(program)
    for _ in range(2):
        program.iam("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=ARN)
    with pytest.raises(Refused) as refused:
        got(program)
    assert refused.value.message == f"OpenIDConnect Provider not found for arn {ARN}"
    actions = list(Event.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider"]


def test_it_tags(program: Program) -> None:
    create(program)
    program.iam("TagOpenIDConnectProvider", OpenIDConnectProviderArn=ARN, Tags=[{"Key": "a", "Value": "1"}])
    program.iam("TagOpenIDConnectProvider", OpenIDConnectProviderArn=ARN, Tags=[{"Key": "A", "Value": "2"}])
    program.iam("UntagOpenIDConnectProvider", OpenIDConnectProviderArn=ARN, TagKeys=["A"])
    listed = program.iam("ListOpenIDConnectProviderTags", OpenIDConnectProviderArn=ARN)["Tags"]
    assert listed == [{"Key": "a", "Value": "1"}]


@pytest.mark.bar(74)
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one(acme: Account, alice: User) -> None:
    by = principal_of(alice)
    assert race(lambda _: create_oidc_provider(by=by, url=URL, client_ids=["app"]), EntityAlreadyExists) == THREADS - 1
    assert OIDCProvider.objects.count() == 1
