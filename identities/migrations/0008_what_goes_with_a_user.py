from django.db import migrations

from audit.going_along import deleted_with


class Migration(migrations.Migration):
    dependencies = [
        ("identities", "0007_lockdowns"),
    ]

    operations = [
        deleted_with("identities_user", "identities_usertag", "user_id"),
        deleted_with("identities_user", "identities_passwordhistory", "user_id"),
        deleted_with("identities_mfadevice", "identities_mfadevicetag", "bearer_id"),
    ]
