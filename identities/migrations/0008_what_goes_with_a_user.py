from django.db import migrations

from database.cascades import cascade_delete


class Migration(migrations.Migration):
    dependencies = [
        ("identities", "0007_lockdowns"),
    ]

    operations = [
        cascade_delete("identities_user", "identities_usertag", "user_id"),
        cascade_delete("identities_user", "identities_passwordhistory", "user_id"),
        cascade_delete("identities_mfadevice", "identities_mfadevicetag", "bearer_id"),
    ]
