from django.db import migrations

from audit.going_along import deleted_with


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0007_accepted_findings"),
        ("identities", "0008_what_goes_with_a_user"),
    ]

    operations = [
        deleted_with("identities_user", "access_consolesession", "user_id"),
        deleted_with("identities_user", "access_recentrole", "user_id"),
        deleted_with("identities_user", "access_signinattempt", "user_id"),
    ]
