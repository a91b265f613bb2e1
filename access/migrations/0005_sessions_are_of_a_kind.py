from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Apart from filling the column: PostgreSQL does not change a table that has changes of rows waiting."""

    dependencies = [("access", "0004_sessions_that_act_as_roles")]

    operations = [
        migrations.AddConstraint(
            "consolesession",
            models.CheckConstraint(
                name="console_session_is_of_its_kind",
                condition=Q(kind="root", user=None, own_token="")
                | Q(kind="user", user__isnull=False, own_token="")
                | (Q(kind="federated", user=None) & ~Q(own_token="")),
            ),
        ),
    ]
