import json

import pytest
from django.urls import reverse

from accounts.models import Account
from audit.errors import EntityAlreadyExists, LimitExceeded, ValidationError
from audit.models import Event
from identities.models import User, UserInlinePolicy
from policies import own_services
from policies.definitions import Definition
from policies.documents import findings_of
from policies.models import RegisteredService
from policies.own_services import catalog_of, create_service, delete_service, update_service, uses_of_service
from policies.services import create_policy
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import GARDEN, statement
from tests.rig.races import THREADS, race

LIST = reverse("policies:list-services")
CREATE = reverse("policies:create-service")
GET, EDIT, DELETE = (reverse(f"policies:{name}-service", args=["garden"]) for name in ("get", "update", "delete"))
PLANTS = statement(Action="garden:Plant", Resource="arn:aws:garden::111122223333:bed/roses")
ARN = "arn:aws:iamconsole::111122223333:service/garden"


@pytest.fixture
def garden(alice: User) -> RegisteredService:
    return create_service(by=principal_of(alice), prefix="garden", name="Our garden", definition=GARDEN)


def codes(account: Account, document: str) -> set[str]:
    return {finding.code for finding in findings_of(document, account_id=account.pk)}


def test_policies_may_name_what_is_registered(alice: User) -> None:
    assert codes(alice.account, PLANTS) == {"UNKNOWN_SERVICE"}
    create_service(by=principal_of(alice), prefix="garden", name="Our garden", definition=GARDEN)
    assert codes(alice.account, PLANTS) == set()
    assert codes(alice.account, PLANTS.replace("garden:Plant", "garden:Plnt")) == {"UNKNOWN_ACTION"}
    assert [found.full_name for found in catalog_of(alice.account_id).search_actions("plant bed")] == ["garden:Plant"]


def test_it_is_nothing_to_another_account(garden: RegisteredService, mallory: User) -> None:
    assert codes(mallory.account, PLANTS) == {"UNKNOWN_SERVICE"}
    assert browser_of(mallory).get(GET).status_code == 404
    create_service(by=principal_of(mallory), prefix="garden", name="Theirs", definition=GARDEN)
    assert RegisteredService.objects.count() == 2


def test_it_records_what_changed(garden: RegisteredService, alice: User) -> None:
    by = principal_of(alice)
    update_service(by=by, service=garden, name="The garden", definition=GARDEN)
    delete_service(by=by, service=garden)
    events = list(Event.objects.order_by("pk"))
    assert [event.action.partition(":")[2] for event in events] == ["CreateService", "UpdateService", "DeleteService"]
    assert {event.resource for event in events} == {ARN}
    assert events[1].detail["before"]["name"] == "Our garden"


def test_a_prefix_is_taken_once(garden: RegisteredService, alice: User) -> None:
    with pytest.raises(EntityAlreadyExists):
        create_service(by=principal_of(alice), prefix="garden", name="Again", definition=GARDEN)


@pytest.mark.parametrize(
    ("prefix", "name", "field"),
    [("iam", "a", "service_prefix"), ("garden", " ", "name"), ("yard", "a", "resource_types")],
)
def test_it_refuses_what_is_wrong(alice: User, prefix: str, name: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_service(by=principal_of(alice), prefix=prefix, name=name, definition=GARDEN)
    assert refused.value.field == field and not RegisteredService.objects.exists()


@pytest.mark.bar(74)
@pytest.mark.django_db(transaction=True)
def test_the_quota_holds_under_a_race(alice: User) -> None:
    Account.objects.filter(pk=alice.account_id).update(quota_overrides={"services": 3})
    by = principal_of(alice)
    definition: Definition = {
        **GARDEN,
        "resource_types": [],
        "condition_keys": [],
        "actions": [GARDEN["actions"][1]],
    }

    def attempt(number: int) -> None:
        create_service(by=by, prefix=f"garden{number}", name="One", definition=definition)

    refused = race(attempt, LimitExceeded)
    assert (RegisteredService.objects.count(), refused) == (3, THREADS - 3)


def test_it_counts_what_names_it(garden: RegisteredService, alice: User, bob: User, mallory: User) -> None:
    create_policy(by=principal_of(alice), name="gardeners", document=PLANTS)
    UserInlinePolicy.objects.create(user=bob, name="p", document=PLANTS)
    UserInlinePolicy.objects.create(user=mallory, name="p", document=PLANTS)
    assert uses_of_service(garden) == {"versions of managed policies": 1, "inline policies of users": 1}
    page = browser_of(alice).get(DELETE).content.decode()
    assert "Inline policies of users: 1" in page


def test_a_person_registers_one_by_lines(alice: User) -> None:
    form = {"service_prefix": "Garden", "name": "Our garden", "actions": "Plant | Write | Puts in | bed"}
    form["resource_types"] = "bed | arn:aws:garden::${Account}:bed/${BedName}"
    answer = browser_of(alice).post(CREATE, form, follow=True)
    assert "garden:Plant" in answer.content.decode()
    assert RegisteredService.objects.get().definition["actions"][0]["description"] == "Puts in"


def test_its_page_offers_a_statement_that_is_right(garden: RegisteredService, alice: User) -> None:
    answer = browser_of(alice).get(GET)
    example = json.loads(answer.context["example"])
    assert example["Resource"] == "arn:aws:garden::111122223333:bed/*"
    assert codes(alice.account, json.dumps({"Version": "2012-10-17", "Statement": [example]})) == set()


def test_a_person_registers_one_by_json(alice: User) -> None:
    form = {"service_prefix": "garden", "name": "Our garden", "pasted": json.dumps(GARDEN)}
    browser_of(alice).post(CREATE, form)
    assert RegisteredService.objects.get().definition == GARDEN


@pytest.mark.parametrize("wrong", [{"actions": "Plant it"}, {"pasted": "{"}, {"actions": ""}, {"service_prefix": "s3"}])
def test_what_is_wrong_stands_at_its_field_and_typed_text_stays(alice: User, wrong: dict[str, str]) -> None:
    form = {"service_prefix": "garden", "name": "Kept as it was", "actions": "Plant", **wrong}
    page = browser_of(alice).post(CREATE, form).content.decode()
    assert "Kept as it was" in page and "field-error" in page and not RegisteredService.objects.exists()


def test_a_person_changes_and_deletes_one(garden: RegisteredService, alice: User) -> None:
    browser = browser_of(alice)
    assert "garden:Season" in browser.get(EDIT).content.decode()
    browser.post(EDIT, {"name": "The garden", "actions": "Water"})
    garden.refresh_from_db()
    assert (garden.name, [each["name"] for each in garden.definition["actions"]]) == ("The garden", ["Water"])
    assert "Type the prefix garden exactly" in browser.post(DELETE, {"confirmation": "gard"}).content.decode()
    browser.post(DELETE, {"confirmation": "garden"})
    assert not RegisteredService.objects.exists()


def test_an_account_may_not_want_to_be_warned(alice: User, mallory: User) -> None:
    browser = browser_of(alice)
    assert "Register the first service" in browser.get(LIST).content.decode()
    browser.post(reverse("policies:update-validation-settings"), {})
    assert codes(alice.account, PLANTS) == set() and codes(mallory.account, PLANTS) == {"UNKNOWN_SERVICE"}
    event = Event.objects.get()
    assert event.action == "iamconsole:UpdateValidationSettings"
    browser.post(reverse("policies:update-validation-settings"), {"warn_about_unknown_services": "on"})
    assert own_services.warns_about_unknown_services(alice.account_id)


@pytest.mark.bar(58)
@pytest.mark.parametrize(
    ("action", "page"),
    [
        ("ListServices", LIST),
        ("CreateService", CREATE),
        ("GetService", GET),
        ("UpdateService", EDIT),
        ("DeleteService", DELETE),
    ],
)
def test_each_page_has_its_action(garden: RegisteredService, bob: User, action: str, page: str) -> None:
    browser = browser_of(bob)
    assert browser.get(page).status_code == 403
    allow(bob, f"iamconsole:{action}")
    assert browser.get(page).status_code == 200


def test_one_may_be_limited_to_a_prefix(bob: User) -> None:
    allow(bob, "iamconsole:CreateService", "arn:aws:iamconsole::111122223333:service/yard")
    form = {"service_prefix": "garden", "name": "Our garden", "actions": "Plant"}
    assert browser_of(bob).post(CREATE, form).status_code == 403
    assert browser_of(bob).post(CREATE, {**form, "service_prefix": "yard"}).status_code == 302


def test_they_are_searched(garden: RegisteredService, alice: User) -> None:
    browser = browser_of(alice)
    assert "Our garden" in browser.get(LIST, {"q": "GARD"}).content.decode()
    assert "No service fits" in browser.get(LIST, {"q": "yard"}).content.decode()
