"""The page that shows what an ARN names."""

from django.urls import reverse

_BY_NAME = {
    "user": ("identities:get-user",),
    "group": ("identities:get-group",),
    "role": ("identities:get-role",),
    "instance-profile": ("identities:get-instance-profile",),
    "server-certificate": ("identities:get-server-certificate",),
    "saml-provider": ("federation:get-saml-provider",),
    "policy": ("policies:get-policy", "own"),
}
_OIDC, _OIDC_PAGE = "oidc-provider", "federation:get-open-id-connect-provider"


def page_of(arn: str, account_id: str) -> str:
    """ "" for what has no page, and for another account's. It tells nothing of whether the thing is still there."""
    own = f"arn:aws:iam::{account_id}:"
    kind, _, rest = arn.removeprefix(own).partition("/") if arn.startswith(own) else ("", "", "")
    name = rest.rpartition("/")[2]
    if kind == _OIDC and name:
        return reverse(_OIDC_PAGE, args=[rest])
    if kind not in _BY_NAME or not name or "*" in name:
        return ""
    page, *before = _BY_NAME[kind]
    return reverse(page, args=[*before, name])
