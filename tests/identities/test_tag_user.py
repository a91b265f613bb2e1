import pytest
from django.urls import reverse

from accounts.models import Account
from audit.errors import InvalidInput, LimitExceeded
from audit.models import Event
from identities.models import User, UserTag
from identities.services.users import tag_user, untag_user
from tests.cast import allow, browser_of, make_user, principal_of


def address(action: str, name: str = "bob") -> str:
    return reverse(f"identities:{action}", args=[name])


def tags_of(user: User) -> dict[str, str]:
    return dict(user.tags.order_by("key_folded").values_list("key", "value"))


def test_it_adds_and_changes(alice: User, bob: User) -> None:
    tag_user(by=principal_of(alice), user=bob, tags={"Team": "Storage", "Floor": ""})
    tag_user(by=principal_of(alice), user=bob, tags={"team": "Network"})
    assert tags_of(bob) == {"Floor": "", "team": "Network"}


def test_keys_ignore_case_in_any_script(alice: User, bob: User) -> None:
    tag_user(by=principal_of(alice), user=bob, tags={"Größe": "1"})
    tag_user(by=principal_of(alice), user=bob, tags={"GRÖSSE": "2"})
    assert tags_of(bob) == {"GRÖSSE": "2"}


def test_it_removes_in_any_case_and_ignores_what_is_not_there(alice: User, bob: User) -> None:
    tag_user(by=principal_of(alice), user=bob, tags={"Team": "Storage", "Floor": "3"})
    untag_user(by=principal_of(alice), user=bob, keys=["TEAM", "nothing"])
    assert tags_of(bob) == {"Floor": "3"}


@pytest.mark.bar(121)
def test_it_records_before_and_after(alice: User, bob: User) -> None:
    tag_user(by=principal_of(alice), user=bob, tags={"Team": "Storage"})
    untag_user(by=principal_of(alice), user=bob, keys=["Team"])
    added, removed = Event.objects.order_by("id")
    assert (added.action, added.detail) == ("iam:TagUser", {"before": {}, "after": {"Team": "Storage"}})
    assert (removed.action, removed.detail) == ("iam:UntagUser", {"before": {"Team": "Storage"}, "after": {}})


def test_it_keeps_the_limit_of_50(alice: User, bob: User) -> None:
    tag_user(by=principal_of(alice), user=bob, tags={f"key{number}": "" for number in range(50)})
    tag_user(by=principal_of(alice), user=bob, tags={"KEY0": "changed"})
    with pytest.raises(LimitExceeded):
        tag_user(by=principal_of(alice), user=bob, tags={"one-more": ""})
    assert UserTag.objects.filter(user=bob).count() == 50


BAD_TAGS = [{"aws:x": ""}, {"": "x"}, {"k" * 129: ""}, {"k": "v" * 257}, {"k": "a\nb"}, {"k<": ""}]


@pytest.mark.parametrize("tags", BAD_TAGS)
def test_it_refuses_bad_tags(alice: User, bob: User, tags: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        tag_user(by=principal_of(alice), user=bob, tags=tags)


def test_the_page_adds_changes_and_removes(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    assert browser.post(address("tag-user"), {"key": "Team", "value": "Storage"}).status_code == 302
    assert 'value="Storage"' in browser.get(address("list-user-tags"), {"key": "Team"}).content.decode()
    assert browser.post(address("untag-user"), {"key": "Team"}).status_code == 302
    assert tags_of(bob) == {}


def test_a_mistake_is_shown_at_the_field_and_what_was_typed_stays(alice: User, bob: User) -> None:
    text = browser_of(alice).post(address("tag-user"), {"key": "aws:x", "value": "kept"}).content.decode()
    assert "begin with aws:" in text and 'value="kept"' in text


@pytest.mark.parametrize("action", ["list-user-tags", "tag-user", "untag-user"])
def test_it_requires_permission(bob: User, action: str) -> None:
    browser = browser_of(bob)
    reply = browser.get(address(action)) if action.startswith("list") else browser.post(address(action), {"key": "a"})
    assert reply.status_code == 403


def test_conditions_see_the_tag_that_is_meant(alice: User, bob: User) -> None:
    allow(bob, "iam:TagUser", Condition={"StringEquals": {"aws:RequestTag/Team": "Storage"}})
    only_team = {"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}
    allow(bob, "iam:UntagUser", name="untag", Condition=only_team)
    browser = browser_of(bob)
    assert browser.post(address("tag-user", "alice"), {"key": "Team", "value": "Other"}).status_code == 403
    assert browser.post(address("tag-user", "alice"), {"key": "Team", "value": "Storage"}).status_code == 302
    assert browser.post(address("untag-user", "alice"), {"key": "Floor"}).status_code == 403
    assert browser.post(address("untag-user", "alice"), {"key": "Team"}).status_code == 302


@pytest.mark.bar(61, 127)
@pytest.mark.parametrize("action", ["tag-user", "untag-user"])
def test_it_hides_other_accounts_and_what_exists(alice: User, bob: User, mallory: User, action: str) -> None:
    for name in ("mallory", "nobody"):
        assert browser_of(alice).post(address(action, name), {"key": "a"}).status_code == 404
    allow(bob, ["iam:TagUser", "iam:UntagUser"], bob.arn)
    for name in ("alice", "mallory", "nobody"):
        assert browser_of(bob).post(address(action, name), {"key": "a"}).status_code == 403
    assert not UserTag.objects.exists()


@pytest.mark.bar(50)
def test_hostile_tags_are_text(alice: User, bob: User) -> None:
    UserTag.objects.create(user=bob, key="<img src=x>", value="<b>")
    text = browser_of(alice).get(address("list-user-tags")).content.decode()
    assert "<img src" not in text and "<b>" not in text and "&lt;img src=x&gt;" in text


@pytest.mark.bar(61, 127)
def test_a_refusal_does_not_tell_whether_the_user_is_there(bob: User, acme: Account) -> None:
    make_user(acme, "carol")
    User.objects.filter(name="carol").update(path="/secret/")
    allow(bob, ["iam:TagUser", "iam:UntagUser"], "arn:aws:iam::111122223333:user/nobody")
    browser = browser_of(bob)
    for action in ("tag-user", "untag-user"):
        refused = browser.post(address(action, "carol"), {"key": "a", "value": ""})
        assert refused.status_code == 403
        assert ":user/carol" in refused.content.decode() and "secret" not in refused.content.decode()


@pytest.mark.bar(73)
def test_a_tag_that_must_not_be_touched_is_kept_from_other_spellings(alice: User, bob: User) -> None:
    tag_user(by=principal_of(alice), user=alice, tags={"team": "red"})
    allow(bob, "iam:*")
    kept = {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}
    allow(bob, "iam:*", name="kept", Effect="Deny", Condition=kept)
    browser = browser_of(bob)
    for name in ("tag-user", "untag-user"):
        page = reverse(f"identities:{name}", args=["alice"])
        assert browser.post(page, {"key": "TEAM", "value": "blue"}).status_code == 403
    assert tags_of(alice) == {"team": "red"}
