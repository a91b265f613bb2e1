import django.db.models.deletion
from django.db import migrations, models

import audit.clock


def tell_root_from_users(apps, schema_editor):
    """Until now a session without a user was root's."""
    sessions = apps.get_model("access", "ConsoleSession").objects
    sessions.filter(user=None).update(kind="root")
    sessions.filter(user__isnull=False).update(kind="user")


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_last_accessed"),
        ("identities", "0003_roles"),
    ]

    operations = [
        migrations.AddField(
            "consolesession",
            "kind",
            models.CharField(
                choices=[("root", "Root"), ("user", "User"), ("federated", "Federated")], default="", max_length=9
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "consolesession",
            "own_key_id",
            models.CharField(blank=True, default="", max_length=128),
            preserve_default=False,
        ),
        migrations.AddField(
            "consolesession", "own_token", models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.AddField(
            "consolesession",
            "came_from",
            models.CharField(blank=True, default="", max_length=2000),
            preserve_default=False,
        ),
        migrations.AddField(
            "consolesession",
            "acting_key_id",
            models.CharField(blank=True, default="", max_length=128),
            preserve_default=False,
        ),
        migrations.AddField(
            "consolesession", "acting_token", models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.AddField(
            "consolesession",
            "acting_as",
            models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "consolesession",
            "acting_color",
            models.CharField(blank=True, default="", max_length=6),
            preserve_default=False,
        ),
        migrations.AlterField("consolesession", "password_binding", models.CharField(blank=True, max_length=64)),
        migrations.CreateModel(
            name="RecentRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_name", models.CharField(max_length=63)),
                ("role_name", models.CharField(max_length=576)),
                ("display_name", models.CharField(blank=True, max_length=64)),
                ("color", models.CharField(blank=True, max_length=6)),
                ("used_at", models.DateTimeField(default=audit.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="recent_roles", to="identities.user"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "account_name", "role_name"), name="recent_role_once_per_user"
                    )
                ],
            },
        ),
        migrations.RunPython(tell_root_from_users, migrations.RunPython.noop, elidable=True),
    ]
