"""Names that a constraint of the database keeps unique: of two who write the same one at once, one is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from audit.errors import EntityAlreadyExists


@contextmanager
def taken_name_refused(message: str, *, field: str = "name") -> Iterator[None]:
    """Around the statement that writes a name. Raises EntityAlreadyExists with the message where the name is taken.

    Nothing can be done after that: the whole transaction is rolled back, so the statement needs no savepoint."""
    try:
        with transaction.atomic(savepoint=False):
            yield
    except IntegrityError as error:
        raise EntityAlreadyExists(message, field=field) from error
