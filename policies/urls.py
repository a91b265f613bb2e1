from django.urls import path

from policies.views import catalog, editing, list_policies, own_services, policies, tags, versions

app_name = "policies"

# The scope tells built-in ("aws") and own policies of the same name apart.
POLICY = "policy/<str:scope>/<str:policy_name>/"
SERVICE = "service/<slug:service_prefix>/"
VERSION = f"{POLICY}version/<str:version_id>/"

urlpatterns = [
    path("", list_policies.list_policies, name="list-policies"),
    path("create/", policies.create_policy, name="create-policy"),
    path("actions/", catalog.search_actions, name="search-actions"),
    path("validate/", editing.validate_policy, name="validate-policy"),
    path("services/", own_services.list_services, name="list-services"),
    path("services/create/", own_services.create_service, name="create-service"),
    path("services/validation/", own_services.update_validation_settings, name="update-validation-settings"),
    path(SERVICE, own_services.get_service, name="get-service"),
    path(f"{SERVICE}edit/", own_services.update_service, name="update-service"),
    path(f"{SERVICE}delete/", own_services.delete_service, name="delete-service"),
    path(POLICY, policies.get_policy, name="get-policy"),
    path(f"{POLICY}delete/", policies.delete_policy, name="delete-policy"),
    path(f"{POLICY}tags/", tags.list_policy_tags, name="list-policy-tags"),
    path(f"{POLICY}tags/set/", tags.tag_policy, name="tag-policy"),
    path(f"{POLICY}tags/remove/", tags.untag_policy, name="untag-policy"),
    path(f"{POLICY}versions/", versions.list_policy_versions, name="list-policy-versions"),
    path(f"{POLICY}versions/create/", versions.create_policy_version, name="create-policy-version"),
    path(f"{POLICY}versions/changes/", versions.get_policy_version_changes, name="get-policy-version-changes"),
    path(VERSION, versions.get_policy_version, name="get-policy-version"),
    path(f"{VERSION}set-default/", versions.set_default_policy_version, name="set-default-policy-version"),
    path(f"{VERSION}delete/", versions.delete_policy_version, name="delete-policy-version"),
]
