from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("federation", "0005_sign_in_of_client"),
    ]

    operations = [
        migrations.DeleteModel(name="OIDCSignIn"),
        migrations.AddConstraint(
            model_name="oidcclientid",
            constraint=models.UniqueConstraint(
                condition=models.Q(("scopes", ""), _negated=True),
                fields=("provider",),
                name="one_console_sign_in_per_oidc_provider",
            ),
        ),
    ]
