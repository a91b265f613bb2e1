from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account
from audit.errors import EntityAlreadyExists, LimitExceeded, ValidationError
from audit.models import Event
from identities.models import User
from policies import services
from policies.documents import DocumentRefused
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import ALLOW, GROUP_PRINCIPAL, REFUSED, of_size
from tests.rig.work import at_most

PAGE = reverse("policies:create-policy")


def create(by: User, name: str = "readers", document: str = ALLOW, **more: Any) -> ManagedPolicy:
    return services.create_policy(by=principal_of(by), name=name, document=document, **more)


def test_it_creates_version_1_as_the_default(alice: User) -> None:
    policy = create(alice, path="/eng/", description="Reads.")
    version = policy.versions.get()
    assert policy.arn == "arn:aws:iam::111122223333:policy/eng/readers"
    assert (version.version_id, version.is_default, version.document) == ("v1", True, ALLOW)


def test_it_records_what_was_created(alice: User) -> None:
    policy = create(alice)
    event = Event.objects.get()
    assert (event.action, event.resource, event.detail["document"]) == ("iam:CreatePolicy", policy.arn, ALLOW)


@pytest.mark.parametrize("name", ["readers", "READERS"])
def test_names_are_unique_in_any_case(alice: User, name: str) -> None:
    create(alice)
    with pytest.raises(EntityAlreadyExists) as refused:
        create(alice, name)
    message = f"A policy called {name} already exists. Duplicate names are not allowed."
    assert (refused.value.message, refused.value.field) == (message, "name")


def test_another_account_may_have_the_same_name(alice: User, mallory: User) -> None:
    create(alice)
    create(mallory)
    create(alice, "AdministratorAccess")
    assert ManagedPolicy.objects.filter(name="readers").count() == 2


@pytest.mark.bar(60, 129)
@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses_documents_it_would_not_understand(alice: User, document: str) -> None:
    with pytest.raises(DocumentRefused) as refused, at_most(500_000):
        create(alice, document=document)
    assert any(finding.severity == "error" and finding.line >= 1 for finding in refused.value.findings)
    assert not ManagedPolicy.objects.filter(account=alice.account).exists()


@pytest.mark.bar(129)
def test_it_refuses_the_longest_request_without_reading_it(alice: User) -> None:
    fields = {"name": "long", "document": "[" * 900_000}
    browser = browser_of(alice)
    browser.get(PAGE)  # the first look at a page reads its templates and icons
    with at_most(500_000):
        answer = browser.post(PAGE, fields)
    assert answer.status_code == 200 and b"characters" in answer.content


def test_white_space_is_not_counted(alice: User) -> None:
    create(alice, "fits", of_size(6144).replace(",", ",\n      "))
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for PolicySize: 6144"):
        create(alice, "does-not", of_size(6145))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("name", "x" * 129),
        ("path", "eng"),
        ("path", "/a*/"),
        ("description", "x" * 1001),
    ],
)
def test_it_refuses_bad_shapes(alice: User, field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create(alice, **{"name": "fine", field: value})
    assert refused.value.field == field


def test_an_account_has_a_quota(alice: User) -> None:
    Account.objects.update(quota_overrides={"policies": 1})
    create(alice)
    with pytest.raises(LimitExceeded, match="PoliciesPerAccount: 1"):
        create(alice, "second")


def test_the_page_creates_and_shows_it(alice: User) -> None:
    answer = browser_of(alice).post(PAGE, {"name": "readers", "path": "", "document": ALLOW.replace(",", ",\r\n")})
    assert answer.headers["Location"] == reverse("policies:get-policy", args=["own", "readers"])
    assert services.default_document(ManagedPolicy.objects.get(name="readers")) == ALLOW.replace(",", ",\n")


def test_the_page_points_at_the_line_and_keeps_what_was_typed(alice: User) -> None:
    typed = ALLOW.replace("[", "[\n").replace("Allow", "allow")
    page = browser_of(alice).post(PAGE, {"name": "readers", "description": "Mine", "document": typed}).content.decode()
    assert "Line 2" in page and "is no effect" in page
    assert "iam:ListUsers" in page and 'value="Mine"' in page


def test_a_group_is_no_principal(alice: User) -> None:
    page = browser_of(alice).post(PAGE, {"name": "readers", "document": GROUP_PRINCIPAL}).content.decode()
    assert "is a group, and groups are not principals" in page


def test_it_starts_from_templates_and_from_other_policies(alice: User) -> None:
    browser = browser_of(alice)
    assert "ForAllValues" not in browser.get(PAGE, {"start": "nothing"}).content.decode()
    assert "aws:MultiFactorAuthPresent" in browser.get(PAGE, {"start": "deny-without-mfa"}).content.decode()
    copied = browser.get(PAGE, {"copy": "arn:aws:iam::aws:policy/AdministratorAccess"}).content.decode()
    assert 'value="AdministratorAccess-copy"' in copied


@pytest.mark.bar(61, 127)
def test_a_policy_that_may_not_be_read_can_not_be_copied(alice: User, bob: User, mallory: User) -> None:
    theirs, mine = create(mallory), create(alice, "hidden")
    allow(bob, "iam:CreatePolicy")
    for arn in (mine.arn, theirs.arn, mine.arn + "-missing"):
        assert browser_of(bob).get(PAGE, {"copy": arn}).status_code == 403
    assert browser_of(alice).get(PAGE, {"copy": theirs.arn}).status_code in (403, 404)


def test_it_requires_permission_on_the_exact_arn(bob: User) -> None:
    assert browser_of(bob).get(PAGE).status_code == 403
    allow(bob, "iam:CreatePolicy", "arn:aws:iam::111122223333:policy/eng/*")
    browser = browser_of(bob)
    assert browser.post(PAGE, {"name": "a", "path": "/", "document": ALLOW}).status_code == 403
    assert browser.post(PAGE, {"name": "a", "path": "/eng/", "document": ALLOW}).status_code == 302
    assert list(ManagedPolicy.objects.filter(account=bob.account).values_list("path", flat=True)) == ["/eng/"]
