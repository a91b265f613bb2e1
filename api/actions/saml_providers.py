from api import context, describe
from api.registry import Call, Result, action
from api.targets import exact_tags, found_saml_provider, saml_provider
from federation.models import SAMLProvider
from federation.services import saml_providers


@action("iam:CreateSAMLProvider", resource="saml-provider/{Name}", context=context.request_tags)
def create_saml_provider(call: Call) -> Result:
    tags = context.tags_at_birth(call, "iam:TagSAMLProvider")
    row = saml_providers.create_saml_provider(
        by=call.principal,
        name=call["Name"],
        metadata=call["SAMLMetadataDocument"],
        tags=tags,
        encryption_mode=call.get("AssertionEncryptionMode", ""),
        private_key=call.get("AddPrivateKey", ""),
    )
    return {"SAMLProviderArn": row.arn, "Tags": describe.tags(tags.items()) or None}


@action("iam:GetSAMLProvider", resource=saml_provider)
def get_saml_provider(call: Call) -> Result:
    return describe.saml_provider(found_saml_provider(call))


@action("iam:ListSAMLProviders", resource="*")
def list_saml_providers(call: Call) -> Result:
    rows = SAMLProvider.objects.filter(account_id=call.account_id).order_by("name")
    return {"SAMLProviderList": [describe.saml_provider_entry(row) for row in rows]}


@action("iam:UpdateSAMLProvider", resource=saml_provider)
def update_saml_provider(call: Call) -> Result:
    row = saml_providers.update_saml_provider(
        by=call.principal,
        provider=found_saml_provider(call),
        metadata=call.get("SAMLMetadataDocument"),
        encryption_mode=call.get("AssertionEncryptionMode"),
        add_private_key=call.get("AddPrivateKey", ""),
        remove_private_key=call.get("RemovePrivateKey", ""),
    )
    return {"SAMLProviderArn": row.arn}


@action("iam:DeleteSAMLProvider", resource=saml_provider)
def delete_saml_provider(call: Call) -> None:
    saml_providers.delete_saml_provider(by=call.principal, provider=found_saml_provider(call))


@action("iam:TagSAMLProvider", resource=saml_provider, context=context.request_tags)
def tag_saml_provider(call: Call) -> None:
    saml_providers.tag_saml_provider(by=call.principal, provider=found_saml_provider(call), tags=exact_tags(call))


@action("iam:UntagSAMLProvider", resource=saml_provider, context=context.removed_tags)
def untag_saml_provider(call: Call) -> None:
    saml_providers.untag_saml_provider(by=call.principal, provider=found_saml_provider(call), keys=call["TagKeys"])


@action("iam:ListSAMLProviderTags", resource=saml_provider)
def list_saml_provider_tags(call: Call) -> Result:
    page = call.page_of(describe.provider_tags(found_saml_provider(call)))
    return {"Tags": page.items, **page.fields}
