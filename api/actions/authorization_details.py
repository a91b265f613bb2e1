from api import describe_authorization_details
from api.authorization_details import KINDS, POLICIES, Hanging
from api.registry import Call, Result, action


@action("iam:GetAccountAuthorizationDetails", resource="*")
def get_account_authorization_details(call: Call) -> Result:
    """One list of four kinds of things, page by page: users, groups, roles, policies."""
    wanted = call.get("Filter") or list(KINDS)
    page = call.page_through(KINDS, [kind for kind in KINDS if kind in wanted])
    hanging = Hanging(call.account_id, page)
    return {
        "UserDetailList": [describe_authorization_details.user(row, hanging) for row in page.of("User")],
        "GroupDetailList": [describe_authorization_details.group(row, hanging) for row in page.of("Group")],
        "RoleDetailList": [describe_authorization_details.role(row, hanging) for row in page.of("Role")],
        "Policies": describe_authorization_details.policies(page.of(*POLICIES), hanging),
        **page.fields,
    }
