from django.db import migrations

from database.cascades import cascade_delete


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0007_accepted_findings"),
        ("identities", "0008_what_goes_with_a_user"),
    ]

    operations = [
        cascade_delete("identities_user", "access_consolesession", "user_id"),
        cascade_delete("identities_user", "access_recentrole", "user_id"),
        cascade_delete("identities_user", "access_signinattempt", "user_id"),
    ]
