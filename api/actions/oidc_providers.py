from api import context, describe
from api.registry import Call, Result, Target, action
from api.targets import exact_tags, found_oidc_provider, oidc_provider
from federation.models import OIDCProvider, oidc_provider_arn
from federation.services import oidc_providers


def new_oidc_provider(call: Call) -> Target:
    return Target(oidc_provider_arn(call.account_id, call["Url"].partition("://")[2]))


@action("iam:CreateOpenIDConnectProvider", resource=new_oidc_provider, context=context.request_tags)
def create_open_id_connect_provider(call: Call) -> Result:
    tags = context.tags_at_birth(call, "iam:TagOpenIDConnectProvider")
    row = oidc_providers.create_oidc_provider(
        by=call.principal,
        url=call["Url"],
        client_ids=call.get("ClientIDList", []),
        thumbprints=call.get("ThumbprintList", []),
        tags=tags,
    )
    return {"OpenIDConnectProviderArn": row.arn, "Tags": describe.tags(tags.items()) or None}


@action("iam:GetOpenIDConnectProvider", resource=oidc_provider)
def get_open_id_connect_provider(call: Call) -> Result:
    return describe.oidc_provider(found_oidc_provider(call))


@action("iam:ListOpenIDConnectProviders", resource="*")
def list_open_id_connect_providers(call: Call) -> Result:
    rows = OIDCProvider.objects.filter(account_id=call.account_id).order_by("url")
    return {"OpenIDConnectProviderList": [{"Arn": row.arn} for row in rows]}


@action("iam:AddClientIDToOpenIDConnectProvider", resource=oidc_provider)
def add_client_id_to_open_id_connect_provider(call: Call) -> None:
    row = found_oidc_provider(call)
    oidc_providers.add_client_id(by=call.principal, provider=row, client_id=call["ClientID"])


@action("iam:RemoveClientIDFromOpenIDConnectProvider", resource=oidc_provider)
def remove_client_id_from_open_id_connect_provider(call: Call) -> None:
    row = found_oidc_provider(call)
    oidc_providers.remove_client_id(by=call.principal, provider=row, client_id=call["ClientID"])


@action("iam:UpdateOpenIDConnectProviderThumbprint", resource=oidc_provider)
def update_open_id_connect_provider_thumbprint(call: Call) -> None:
    row = found_oidc_provider(call)
    oidc_providers.update_thumbprints(by=call.principal, provider=row, thumbprints=call["ThumbprintList"])


@action("iam:DeleteOpenIDConnectProvider", resource=oidc_provider)
def delete_open_id_connect_provider(call: Call) -> None:
    """One that is not there is no error, as in AWS: deleting is idempotent."""
    if isinstance(call.target.row, OIDCProvider):
        oidc_providers.delete_oidc_provider(by=call.principal, provider=call.target.row)


@action("iam:TagOpenIDConnectProvider", resource=oidc_provider, context=context.request_tags)
def tag_open_id_connect_provider(call: Call) -> None:
    oidc_providers.tag_oidc_provider(by=call.principal, provider=found_oidc_provider(call), tags=exact_tags(call))


@action("iam:UntagOpenIDConnectProvider", resource=oidc_provider, context=context.removed_tags)
def untag_open_id_connect_provider(call: Call) -> None:
    oidc_providers.untag_oidc_provider(by=call.principal, provider=found_oidc_provider(call), keys=call["TagKeys"])


@action("iam:ListOpenIDConnectProviderTags", resource=oidc_provider)
def list_open_id_connect_provider_tags(call: Call) -> Result:
    page = call.page_of(describe.provider_tags(found_oidc_provider(call)))
    return {"Tags": page.items, **page.fields}
