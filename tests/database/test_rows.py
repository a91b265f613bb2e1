"""Rows are what Django makes of them, without its constructor."""

from django.db.models import Model

from identities.models import User
from tests.cast import make_user


def test_a_row_is_what_django_would_make_of_it(alice: User) -> None:
    row = User.objects.get(pk=alice.pk)
    columns = [field.attname for field in User._meta.concrete_fields]
    djangos = Model.from_db.__func__(User, "default", columns, [getattr(row, name) for name in columns])  # type: ignore[attr-defined] # a class method's function
    assert vars(row).keys() == vars(djangos).keys()
    assert (row, row._state.db, row._state.adding) == (djangos, djangos._state.db, djangos._state.adding)


def test_what_was_not_read_is_read_when_it_is_asked_for(alice: User) -> None:
    row = User.objects.only("name").get(pk=alice.pk)
    assert row.get_deferred_fields() > {"path", "unique_id"}
    assert (row.path, row.unique_id) == (alice.path, alice.unique_id)


def test_a_row_is_changed_and_kept_like_any_other(alice: User) -> None:
    row = User.objects.select_related("account").get(pk=alice.pk)
    row.path, row.account = "/moved/", make_user(row.account, "other").account
    row.save()
    alice.refresh_from_db()
    assert (alice.path, alice.account) == ("/moved/", row.account)
