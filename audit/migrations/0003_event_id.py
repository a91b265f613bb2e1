"""Events get an id that tells nothing. The column comes empty, which costs nothing, and one statement fills it."""

import uuid
from typing import Any

from django.db import migrations, models

FILL = {
    "postgresql": "UPDATE audit_event SET event_id = gen_random_uuid() WHERE event_id IS NULL",
    "sqlite": "UPDATE audit_event SET event_id = lower(hex(randomblob(16))) WHERE event_id IS NULL",
}


def fill(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(FILL[schema_editor.connection.vendor])


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_event_explanation"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="event_id",
            field=models.UUIDField(null=True, editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="event",
            name="event_id",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
    ]
