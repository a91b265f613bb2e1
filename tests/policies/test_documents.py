import pytest

from identities.models import User, UserInlinePolicy
from policies.models import document_digest
from tests.cast import make_user


def inline(user: User, text: str) -> UserInlinePolicy:
    return UserInlinePolicy.objects.create(user=user, name="p", document=text)


@pytest.mark.bar(72)
@pytest.mark.parametrize("way", ["save", "save some fields", "update", "bulk create", "update or create"])
def test_no_way_of_writing_a_document_leaves_an_old_digest(bob: User, way: str) -> None:
    row = inline(bob, "old")
    row.document = "new"
    match way:
        case "save":
            row.save()
        case "save some fields":
            row.save(update_fields=["document"])
        case "update":
            UserInlinePolicy.objects.filter(pk=row.pk).update(document="new")
        case "bulk create":
            other = make_user(bob.account, "other", console=False)
            UserInlinePolicy.objects.bulk_create([UserInlinePolicy(user=other, name="p", document="new")])
        case "update or create":
            UserInlinePolicy.objects.update_or_create(user=bob, name="p", defaults={"document": "new"})
    stored = UserInlinePolicy.objects.get(document="new")
    assert stored.digest == document_digest("new")
