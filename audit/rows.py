"""Rows that every call reads, made into models without what a constructor looks at for people's sake."""

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class PlainRow(models.Model):
    """A model that is the columns of its row and nothing more: nobody listens to Django's signals of making one."""

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
