from django.db import models

from accounts.models import Account
from audit import clock


class CredentialReport(models.Model):
    """The account's one report on the state of everybody's credentials, as text (CSV)."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="credential_report")
    content = models.TextField()
    generated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"credential report of {self.account_id}"
