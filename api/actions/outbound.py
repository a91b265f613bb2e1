from api import context
from api.registry import Call, Context, Result, action
from api.targets import exact_tags
from federation.services import outbound


@action("iam:EnableOutboundWebIdentityFederation", resource="*")
def enable_outbound_web_identity_federation(call: Call) -> Result:
    issuer = outbound.enable_outbound_web_identity_federation(by=call.principal)
    return {"IssuerIdentifier": outbound.issuer_url(issuer)}


@action("iam:DisableOutboundWebIdentityFederation", resource="*")
def disable_outbound_web_identity_federation(call: Call) -> None:
    outbound.disable_outbound_web_identity_federation(by=call.principal)


@action("iam:GetOutboundWebIdentityFederationInfo", resource="*")
def get_outbound_web_identity_federation_info(call: Call) -> Result:
    issuer = outbound.get_outbound_web_identity_federation_info(call.account_id)
    return {"IssuerIdentifier": outbound.issuer_url(issuer), "JwtVendingEnabled": issuer.is_enabled}


def wanted_token(call: Call) -> Context:
    return {
        **context.request_tags(call),
        "sts:IdentityTokenAudience": call["Audience"],
        "sts:SigningAlgorithm": call["SigningAlgorithm"],
        "sts:DurationSeconds": str(call.get("DurationSeconds", outbound.USUAL_SECONDS)),
    }


@action("sts:GetWebIdentityToken", resource="*", context=wanted_token)
def get_web_identity_token(call: Call) -> Result:
    """What the tags say is believed elsewhere, so only who may set them has them vouched for."""
    if "Tags" in call:
        call.gate.require("sts:TagGetWebIdentityToken", "*", context.request_tags(call))
    token, ends = outbound.get_web_identity_token(
        by=call.principal,
        audiences=call["Audience"],
        algorithm=call["SigningAlgorithm"],
        seconds=call.get("DurationSeconds"),
        tags=exact_tags(call),
        session_ends_at=call.principal.expires_at,
    )
    return {"WebIdentityToken": token, "Expiration": ends}
