"""The .csv files in which a person keeps what is shown once."""

import csv
import io
from collections.abc import Iterable

from django.conf import settings

from identities.models import AccessKey, ServiceSpecificCredential, User
from identities.services.service_credentials import SERVICES

_FULL_WIDTH = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", *_FULL_WIDTH)


def text_cell(text: str) -> str:
    """A cell with words of other people: never a formula. A name may begin with = or @ and be run by a spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA_MARKS) else text


def access_key_csv(key: AccessKey, secret: str) -> str:
    """The form that `aws configure import` reads. The secret stands as it is: one with a mark in front would not work,
    and random letters, digits, + and / make no formula that does anything."""
    return _csv([("Access key ID", "Secret access key"), (key.access_key_id, secret)])


def access_key_profile(key: AccessKey, secret: str) -> str:
    """What the AWS command line and every SDK need to know: the keys, and that the service is here."""
    lines = [
        f"[{key.account.sign_in_name}]",
        f"aws_access_key_id = {key.access_key_id}",
        f"aws_secret_access_key = {secret}",
        f"endpoint_url = {settings.SITE_URL}",
        "region = us-east-1",
    ]
    return "\n".join(lines)


def access_key_file_name(key: AccessKey) -> str:
    return f"{key.user.name}_accessKeys.csv" if key.user else "rootkey.csv"


def password_csv(user: User, password: str) -> str:
    """The password is a generated one, which begins with a letter."""
    address = sign_in_address(user.account.sign_in_name)
    return _csv([("User name", "Password", "Console sign-in URL"), (text_cell(user.name), password, address)])


def service_credential_csv(credential: ServiceSpecificCredential, secret: str) -> str:
    """Alias first: of an API key it is the name. Secrets are letters, digits, +, / and =, and begin with none of the
    marks of a formula but +, which a spreadsheet can't compute anything with here."""
    if SERVICES[credential.service].api_key_prefix:
        return _csv([("API key name", "API key"), (text_cell(credential.alias), secret)])
    return _csv([("User name", "Password"), (text_cell(credential.alias), secret)])


def service_credential_file_name(credential: ServiceSpecificCredential) -> str:
    return f"{credential.user.name}_{credential.service.partition('.')[0]}_credentials.csv"


def sign_in_address(account: str) -> str:
    """Where the users of an account sign in; from the configured site, never from a request."""
    return f"{settings.SITE_URL}/signin/{account}/"


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
