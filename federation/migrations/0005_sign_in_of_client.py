from typing import Any

from django.db import migrations, models

COLUMNS = ("secret_encrypted", "scopes", "is_enabled", "is_listed")


def move(apps: Any, schema_editor: Any) -> None:
    """What a sign-in is, to the client that it is made with. Secrets stay sealed: they are bound to the provider."""
    clients = apps.get_model("federation", "OIDCClientId").objects
    for row in apps.get_model("federation", "OIDCSignIn").objects.iterator():
        clients.filter(pk=row.client_id).update(**{name: getattr(row, name) for name in COLUMNS})


def move_back(apps: Any, schema_editor: Any) -> None:
    sign_ins = apps.get_model("federation", "OIDCSignIn").objects
    for row in apps.get_model("federation", "OIDCClientId").objects.exclude(scopes="").iterator():
        values = {name: getattr(row, name) for name in COLUMNS}
        sign_ins.create(provider_id=row.provider_id, client_id=row.pk, **values)


class Migration(migrations.Migration):
    dependencies = [
        ("federation", "0004_oidc_console_sign_in"),
    ]

    operations = [
        migrations.AddField("oidcclientid", "secret_encrypted", models.TextField(blank=True, default=""), False),
        migrations.AddField("oidcclientid", "scopes", models.CharField(blank=True, default="", max_length=255), False),
        migrations.AddField("oidcclientid", "is_enabled", models.BooleanField(default=False)),
        migrations.AddField("oidcclientid", "is_listed", models.BooleanField(default=False)),
        migrations.RunPython(move, move_back),
    ]
