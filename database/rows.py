"""Models whose instances are made of fetched rows without Django's constructor, for what every call reads."""

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class PlainRow(models.Model):
    """An abstract model whose fetched rows skip the constructor: its checks of arguments, and the signals `pre_init`
    and `post_init`, which nothing here listens to."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any]) -> Self:  # type: ignore[override] # the types are Django 6's
        """Django's own hook (Model.from_db): the names and values of the columns that were read, in the same order."""
        row = cls.__new__(cls)
        row.__dict__.update(zip(field_names, values, strict=True))
        row._state = ModelState()
        row._state.db, row._state.adding = db, False
        return row
