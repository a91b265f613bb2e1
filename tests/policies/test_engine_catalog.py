from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from api import actions as operations
from audit.actions import Declaration
from policies.engine.catalog import BUILT_IN, Catalog
from policies.engine.catalog_data import service_names
from policies.engine.catalog_types import Action, ConditionKey, ResourceType, Service

pytestmark = pytest.mark.sqlite  # the engine knows no database

GARDEN = Service(
    "garden",
    "Our garden",
    {"plant": Action("garden", "Plant", "Write", "Put something into a bed", ("bed",), ("garden:Season",))},
    {"bed": ResourceType("bed", "arn:${Partition}:garden:${Region}:${Account}:bed/${BedName}")},
    {"garden:season": ConditionKey("garden:Season", "String")},
    registered=True,
)


def names(actions: tuple[Action, ...]) -> list[str]:
    return [action.full_name for action in actions]


def declared(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from declared(each.url_patterns)
        elif isinstance(found := getattr(each.callback, "declaration", None), Declaration):
            yield from filter(None, (found.action, *found.also))


def test_it_knows_actions_in_any_case() -> None:
    action = BUILT_IN.action("IAM:createuser")
    assert action and action.full_name == "iam:CreateUser"
    assert (action.access_level, action.resource_types) == ("Write", ("user",))
    assert "iam:PermissionsBoundary" in action.condition_keys and "user" in action.description


@pytest.mark.parametrize("name", ["iam:CreateUsers", "gardening:Plant", "iam", "", ":", "../services:x", "iam:*"])
def test_it_knows_nothing_of_others(name: str) -> None:
    assert BUILT_IN.action(name) is None


def test_a_service_has_its_actions_in_order() -> None:
    found = names(BUILT_IN.actions_of("STS"))
    assert "sts:AssumeRole" in found and found == sorted(found)
    assert BUILT_IN.actions_of("gardening") == ()


def test_a_pattern_names_actions() -> None:
    found = {action.name for action in BUILT_IN.matching("iam:create*key")}
    assert found == {"CreateAccessKey"}
    assert not list(BUILT_IN.matching("gardening:*"))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("getobj", "s3:GetObject"),
        ("create user", "iam:CreateUser"),
        ("iam:createuser", "iam:CreateUser"),
        ("assume role", "sts:AssumeRole"),
        ("passrole", "iam:PassRole"),
        ("iamconsole sessions", "iamconsole:ListConsoleSessions"),
    ],
)
def test_the_best_is_found_first(text: str, first: str) -> None:
    assert BUILT_IN.search_actions(text)[0].full_name == first


def test_descriptions_are_searched_too() -> None:
    assert "iam:GetAccountSummary" in names(BUILT_IN.search_actions("entity usage quotas", 50))


def test_a_search_is_limited() -> None:
    assert len(BUILT_IN.search_actions("a", 7)) == 7
    assert len(BUILT_IN.search_actions("get", 5_000)) == 50
    assert BUILT_IN.search_actions("  ") == BUILT_IN.search_actions("zzzzzz") == ()


@pytest.mark.parametrize(
    ("name", "type", "multivalued"),
    [
        ("AWS:sourceip", "IPAddress", False),
        ("aws:TagKeys", "String", True),
        ("aws:PrincipalTag/team", "String", False),
        ("s3:ExistingObjectTag/team", "String", False),
        ("kms:EncryptionContext:app", "String", False),
        ("saml:cn", "String", True),
        ("token.actions.githubusercontent.com:repository", "String", False),
        ("codebuild:fileSystemLocations/mine.type", "String", False),
    ],
)
def test_it_knows_condition_keys(name: str, type: str, multivalued: bool) -> None:
    key = BUILT_IN.condition_key(name)
    assert key and (key.type, key.multivalued) == (type, multivalued)


@pytest.mark.parametrize("name", ["aws:SourceIP2", "aws:PrincipalTag/", "aws:PrincipalTag", "iam:nothing", "x", "a:b"])
def test_it_knows_no_other_condition_keys(name: str) -> None:
    assert BUILT_IN.condition_key(name) is None


def test_an_account_adds_its_services() -> None:
    catalog = Catalog([GARDEN])
    assert names(catalog.search_actions("plant bed")) == ["garden:Plant"]
    assert names(catalog.actions_of("garden")) == ["garden:Plant"]
    assert catalog.condition_key("garden:season") and next(iter(catalog.service_names())) == "garden"
    assert BUILT_IN.action("garden:Plant") is None


def test_a_registered_service_never_hides_a_built_in_one() -> None:
    fake = Service("iam", "Not IAM", {}, {}, {}, registered=True)
    assert Catalog([fake]).action("iam:CreateUser")


def test_every_service_can_be_read() -> None:
    for prefix in service_names():
        service = BUILT_IN.service(prefix)
        assert service and service.prefix == prefix
        assert all(action.resource_types or action.is_complete for action in service.actions.values())


# In the service model, and answered with an error of AWS's; the authorization reference does not know them.
WITHOUT_REFERENCE = {"iam:AcquireRole", "iam:UpdateDelegationRequest"}


def test_every_declared_action_is_in_the_catalogue() -> None:
    known = {*declared(get_resolver().url_patterns), *(each.name for each in operations.registered())}
    assert len(known) > 70
    assert {action for action in known if BUILT_IN.action(action) is None} == WITHOUT_REFERENCE
