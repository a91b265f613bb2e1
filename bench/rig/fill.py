"""Bring an account to a number of users: `python -m bench.rig.fill 100000`, with the console's own environment."""

import os
import sys


def fill(total: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")
    import django  # noqa: PLC0415 # Django reads the environment when it is set up

    django.setup()
    from django.db import connection  # noqa: PLC0415 # see above

    from accounts.ids import new_unique_id  # noqa: PLC0415 # see above
    from accounts.models import Account  # noqa: PLC0415 # see above
    from identities.models import User  # noqa: PLC0415 # see above

    account = Account.objects.get()
    present = account.users.count()
    rows = (User(account=account, name=f"user-{n:06}", unique_id=new_unique_id("AIDA")) for n in range(present, total))
    User.objects.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    fill(int(sys.argv[1]))
