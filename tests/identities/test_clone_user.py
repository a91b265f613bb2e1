import pytest
from django.urls import reverse

from accounts.models import Account
from audit.errors import LimitExceeded
from audit.models import Event
from identities.models import Group, Membership, User, UserAttachment
from identities.services.cloning import READ_ACTIONS, clone_user, items_of
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_user, principal_of

READ = list(READ_ACTIONS)
GIVE = ["iam:AddUserToGroup", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:PutUserPermissionsBoundary"]


def built_in(name: str) -> ManagedPolicy:
    return ManagedPolicy.objects.get(account=None, name=name)


def review(target: str = "dave", source: str = "carol") -> str:
    return reverse("identities:clone-user-review", args=[target]) + f"?source={source}"


@pytest.fixture
def carol(acme: Account) -> User:
    """Somebody with one of each kind of permission."""
    carol = make_user(acme, "carol")
    group = Group.objects.create(account=acme, name="readers", unique_id="AGPA" + "A" * 17)
    Membership.objects.create(user=carol, group=group, slot=1)
    UserAttachment.objects.create(user=carol, policy=built_in("SecurityAudit"), slot=1)
    allow(carol, "s3:GetObject", name="own-words")
    carol.boundary = built_in("PowerUserAccess")
    carol.save()
    return carol


@pytest.fixture
def dave(acme: Account) -> User:
    return make_user(acme, "dave")


def keys_of(user: User) -> list[str]:
    return [item.key for item in items_of(User.objects.get(pk=user.pk))]


def test_it_sees_four_kinds_of_permission(carol: User) -> None:
    assert [(item.kind, item.name) for item in items_of(carol)] == [
        ("boundary", "PowerUserAccess"),
        ("group", "readers"),
        ("policy", "SecurityAudit"),
        ("inline", "own-words"),
    ]


def test_it_copies_all_of_them_and_no_credentials(alice: User, carol: User, dave: User) -> None:
    password = dave.login_profile.password
    clone_user(by=principal_of(alice), source=carol, target=dave, items=items_of(carol))
    assert keys_of(dave) == keys_of(carol)
    assert User.objects.get(pk=dave.pk).login_profile.password == password
    assert not dave.access_keys.exists() and not dave.tags.exists()


@pytest.mark.bar(121)
def test_it_records_each_item_and_the_source(alice: User, carol: User, dave: User) -> None:
    clone_user(by=principal_of(alice), source=carol, target=dave, items=items_of(carol))
    actions = list(Event.objects.order_by("id").values_list("action", flat=True))
    assert set(GIVE) <= set(actions)
    event = Event.objects.get(action="iamconsole:CopyPermissions")
    assert event.detail["source"] == carol.arn and len(event.detail["items"]) == 4


@pytest.mark.bar(58)
def test_it_takes_no_permission_of_its_own_but_a_deny_keeps_it(bob: User, carol: User, dave: User) -> None:
    allow(bob, [*READ, *GIVE])
    browser, form = browser_of(bob), {"items": keys_of(carol)[2]}
    assert browser.get(review()).status_code == 200
    allow(bob, "iamconsole:CopyPermissions", carol.arn, name="kept", Effect="Deny")
    assert browser.get(review()).status_code == browser.post(review(), form).status_code == 403
    assert keys_of(dave) == []


@pytest.mark.bar(75)
def test_a_full_quota_names_the_item_and_leaves_nothing(alice: User, carol: User, dave: User, acme: Account) -> None:
    acme.quota_overrides = {"policies_per_user": 0}
    acme.save()
    with pytest.raises(LimitExceeded) as refused:
        clone_user(by=principal_of(alice), source=carol, target=dave, items=items_of(carol))
    assert "“SecurityAudit” could not be given: Cannot exceed quota" in refused.value.message
    assert keys_of(dave) == [] and not Event.objects.exists()


def test_only_what_is_ticked_is_copied(alice: User, carol: User, dave: User) -> None:
    reply = browser_of(alice).post(review(), {"items": ["group:readers"]})
    assert reply.status_code == 302
    assert keys_of(dave) == ["group:readers"]


def test_the_review_shows_documents_and_ticks_what_can_be_had(alice: User, carol: User, dave: User) -> None:
    reply = browser_of(alice).get(review())
    assert [row.ticked for row in reply.context["rows"]] == [True] * 4
    assert "s3:GetObject" in reply.content.decode()


def test_what_the_target_has_is_marked(alice: User, carol: User, dave: User) -> None:
    allow(dave, "s3:PutObject", name="own-words")
    UserAttachment.objects.create(user=dave, policy=built_in("SecurityAudit"), slot=1)
    rows = {row.item.name: row for row in browser_of(alice).get(review()).context["rows"]}
    assert rows["SecurityAudit"].has and not rows["SecurityAudit"].ticked
    assert rows["own-words"].replaces and not rows["own-words"].ticked
    assert rows["readers"].ticked


def test_nothing_ticked_is_said(alice: User, carol: User, dave: User) -> None:
    reply = browser_of(alice).post(review())
    assert reply.status_code == 409 and "Nothing is ticked" in reply.content.decode()


def test_a_document_changed_since_the_review_is_not_copied(alice: User, carol: User, dave: User) -> None:
    keys = keys_of(carol)
    allow(carol, "*", name="own-words")
    reply = browser_of(alice).post(review(), {"items": keys})
    assert reply.status_code == 409 and "have changed since you looked" in reply.content.decode()
    assert keys_of(dave) == []


@pytest.mark.bar(65)
@pytest.mark.parametrize("missing", GIVE)
def test_what_one_may_not_give_is_never_given(bob: User, carol: User, dave: User, missing: str) -> None:
    allow(bob, [*READ, *(action for action in GIVE if action != missing)])
    reply = browser_of(bob).get(review())
    closed = [row for row in reply.context["rows"] if not row.open]
    assert [row.step.action for row in closed] == [missing]
    assert missing in reply.content.decode() and not closed[0].ticked
    forced = browser_of(bob).post(review(), {"items": keys_of(carol)})
    assert forced.status_code == 403 and keys_of(dave) == []
    allowed = [row.item.key for row in reply.context["rows"] if row.open]
    assert browser_of(bob).post(review(), {"items": allowed}).status_code == 302
    assert keys_of(dave) == allowed


@pytest.mark.bar(65)
def test_one_policy_or_group_alone_can_be_permitted(bob: User, carol: User, dave: User, acme: Account) -> None:
    other = Group.objects.create(account=acme, name="admins", unique_id="AGPA" + "B" * 17)
    Membership.objects.create(user=carol, group=other, slot=2)
    allow(bob, READ)
    allow(bob, "iam:AddUserToGroup", "arn:aws:iam::111122223333:group/readers", name="group")
    only = {"ArnEquals": {"iam:PolicyARN": built_in("IAMReadOnlyAccess").arn}}
    allow(bob, "iam:AttachUserPolicy", name="policy", Condition=only)
    rows = browser_of(bob).get(review()).context["rows"]
    assert [row.item.name for row in rows if row.open] == ["readers"]
    assert browser_of(bob).post(review(), {"items": ["group:admins"]}).status_code == 403
    assert browser_of(bob).post(review(), {"items": ["group:readers", "group:admins"]}).status_code == 403
    assert keys_of(dave) == []


@pytest.mark.bar(65)
def test_a_boundary_that_must_be_there_is_seen(bob: User, carol: User, dave: User) -> None:
    limit = built_in("PowerUserAccess").arn
    allow(bob, [*READ, "iam:PutUserPermissionsBoundary"])
    allow(bob, "iam:AttachUserPolicy", name="attach", Condition={"ArnEquals": {"iam:PermissionsBoundary": limit}})
    policy = f"policy:{built_in('SecurityAudit').arn}"
    assert browser_of(bob).post(review(), {"items": [policy]}).status_code == 403
    assert browser_of(bob).post(review(), {"items": [f"boundary:{limit}", policy]}).status_code == 302


@pytest.mark.parametrize("missing", READ)
def test_the_source_must_be_readable(bob: User, carol: User, dave: User, missing: str) -> None:
    allow(bob, [*GIVE, *(action for action in READ if action != missing)])
    allow(bob, READ, dave.arn, name="target")
    for reply in (browser_of(bob).get(review()), browser_of(bob).post(review(), {"items": ["group:readers"]})):
        assert reply.status_code == 403 and missing in reply.content.decode()
        assert "SecurityAudit" not in reply.content.decode()
    assert keys_of(dave) == []


@pytest.mark.bar(61, 127)
def test_a_source_of_another_account_is_a_missing_one(alice: User, bob: User, dave: User, mallory: User) -> None:
    assert browser_of(alice).get(review(source="mallory")).status_code == 404
    assert browser_of(alice).get(review(source="nobody")).status_code == 404
    allow(bob, READ, dave.arn)
    for source in ("alice", "mallory", "nobody"):
        assert browser_of(bob).get(review(source=source)).status_code == 403


def test_it_hides_targets_of_other_accounts(alice: User, carol: User, mallory: User) -> None:
    assert browser_of(alice).post(review("mallory"), {"items": ["group:readers"]}).status_code == 404


def test_somebody_is_chosen_by_a_search(alice: User, carol: User, dave: User) -> None:
    page = reverse("identities:clone-user", args=["dave"])
    choices = browser_of(alice).get(page, {"q": "car"}).context["list"].choices
    assert [choice.value for choice in choices] == ["carol"]
    everybody = browser_of(alice).get(page).context["list"].choices
    assert "dave" not in [choice.value for choice in everybody]


def test_who_may_not_list_users_can_type_the_name(bob: User, dave: User) -> None:
    allow(bob, "iam:GetUser")
    text = browser_of(bob).get(reverse("identities:clone-user", args=["dave"])).content.decode()
    assert "iam:ListUsers" in text and 'name="source"' in text


PERMISSIONS = reverse("identities:create-user-permissions")
CREATE = reverse("identities:create-user-review")
NEW = {"name": "erin", "path": "/", "way": "clone", "source": "carol"}


def test_a_new_user_starts_with_everything_ticked(alice: User, carol: User) -> None:
    reply = browser_of(alice).get(PERMISSIONS, NEW)
    assert [row.ticked for row in reply.context["rows"]] == [True] * 4


def test_ticks_stay_when_coming_back(alice: User, carol: User) -> None:
    state = NEW | {"reviewed": "carol", "items": ["group:readers"]}
    rows = browser_of(alice).get(PERMISSIONS, state).context["rows"]
    assert [row.item.key for row in rows if row.ticked] == ["group:readers"]


def test_a_new_user_gets_what_is_ticked(alice: User, carol: User) -> None:
    state = "&".join(f"items={key}" for key in keys_of(carol) if not key.startswith("inline"))
    reply = browser_of(alice).post(f"{CREATE}?name=erin&source=carol&reviewed=carol&{state}")
    erin = User.objects.get(name="erin")
    assert reply.status_code == 200 and erin.boundary == carol.boundary
    assert len(keys_of(erin)) == 3


@pytest.mark.bar(65)
def test_a_new_user_gets_nothing_that_could_not_be_given(bob: User, carol: User) -> None:
    allow(bob, [*READ, "iam:CreateUser", "iam:AddUserToGroup"])
    address = f"{CREATE}?name=erin&source=carol&reviewed=carol&items=group:readers"
    policy = f"&items=policy:{built_in('SecurityAudit').arn}"
    assert browser_of(bob).post(address + policy).status_code == 403
    assert not User.objects.filter(name="erin").exists()
    assert browser_of(bob).post(address).status_code == 200


def test_the_source_is_read_again_at_the_end(bob: User, carol: User) -> None:
    allow(bob, ["iam:CreateUser", *GIVE])
    reply = browser_of(bob).post(f"{CREATE}?name=erin&source=carol&reviewed=carol&items=group:readers")
    assert reply.status_code == 403 and not User.objects.filter(name="erin").exists()


@pytest.mark.bar(61, 127)
def test_a_refused_source_is_named_as_it_was_asked_for(bob: User, carol: User, dave: User) -> None:
    User.objects.filter(pk=carol.pk).update(path="/secret/")
    allow(bob, READ, dave.arn)
    text = browser_of(bob).get(review()).content.decode()
    assert ":user/carol" in text and "secret" not in text
