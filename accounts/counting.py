"""Counting rows as part of a query for something else."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce


def number_of(rows: QuerySet[Any], column: str) -> Coalesce:
    """How many of the rows point by that column at the row of the outer query."""
    pointing = rows.filter(**{column: OuterRef("pk")}).order_by().values(column)
    return Coalesce(Subquery(pointing.annotate(number=Count("pk")).values("number")), 0)
