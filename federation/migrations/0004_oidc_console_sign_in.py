import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("federation", "0003_token_issuers"),
    ]

    operations = [
        migrations.CreateModel(
            name="OIDCSignIn",
            fields=[
                (
                    "provider",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sign_in",
                        serialize=False,
                        to="federation.oidcprovider",
                    ),
                ),
                ("secret_encrypted", models.TextField()),
                ("scopes", models.CharField(max_length=255)),
                ("is_enabled", models.BooleanField(default=True)),
                ("is_listed", models.BooleanField(default=False)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to="federation.oidcclientid",
                    ),
                ),
            ],
        ),
    ]
