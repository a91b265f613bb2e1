from accounts import preferences
from api.registry import Call, Context, Result, action


@action("iam:SetSecurityTokenServicePreferences", resource="*")
def set_security_token_service_preferences(call: Call) -> None:
    version = call["GlobalEndpointTokenVersion"]
    preferences.set_security_token_service_preferences(by=call.principal, token_version=version)


def namespaces_given(call: Call) -> Context:
    return {"iam:AccountPropertyNamespaces": sorted({name.partition("/")[0] for name in call["Properties"]})}


def all_namespaces(call: Call) -> Context:
    return {"iam:AccountPropertyNamespaces": sorted({name.partition("/")[0] for name in preferences.PROPERTIES})}


@action("iam:GetAccountProperties", resource="*", context=all_namespaces)
def get_account_properties(call: Call) -> Result:
    return {"Properties": preferences.get_account_properties(call.account)}


@action("iam:PutAccountProperties", resource="*", context=namespaces_given)
def put_account_properties(call: Call) -> None:
    preferences.put_account_properties(by=call.principal, properties=call["Properties"])
