"""What the guard can load for a view: the row behind a page address, in the caller's own account, and its ARN.

Each loader turns the words of the address into a row, or into the ARN that the row would have: a caller who may not
ask learns nothing about what exists.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from access.models import RouteTable, route_table_arn
from accounts.tags import first_with_prefetched_tags, first_with_tags, resource_tag_keys
from audit.principal import Principal
from federation.models import OIDCProvider, SAMLProvider, oidc_provider_arn, saml_provider_arn
from federation.services.tags import resource_tags as provider_tags
from identities.models import InstanceProfile, Machine, ServerCertificate
from identities.models.certificates import server_certificate_arn
from identities.models.groups import group_arn
from identities.models.machines import machine_arn
from identities.models.roles import instance_profile_arn, role_arn
from identities.models.users import user_arn
from identities.reading import read_group, read_named_role, read_user
from identities.resource_tags import resource_tags
from identities.services.mfa import devices_named, serial_number_of
from policies.models import AWS, ManagedPolicy, RegisteredService, policy_arn, service_arn


class Row(Protocol):
    @property
    def arn(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """`row` is None when there is none; `context` holds the condition keys that the resource brings (its tags).

    A denied caller is told `asked`, made from the address alone: the path in a real ARN would tell that the thing is
    there.
    """

    arn: str
    row: Row | None
    context: Mapping[str, str]
    asked: str
    tags: Mapping[str, str] = field(default_factory=dict)


def load_user(principal: Principal, user_name: str) -> Loaded:
    user = read_user(principal.account_id, user_name)
    asked = user_arn(principal.account_id, "/", user_name)
    return Loaded(user.arn, user, resource_tags(user), asked) if user else Loaded(asked, None, {}, asked)


def load_role(principal: Principal, role_name: str) -> Loaded:
    role = read_named_role(principal.account_id, role_name)
    asked = role_arn(principal.account_id, "/", role_name)
    return Loaded(role.arn, role, resource_tags(role), asked) if role else Loaded(asked, None, {}, asked)


def load_instance_profile(principal: Principal, profile_name: str) -> Loaded:
    rows = InstanceProfile.objects.filter(account_id=principal.account_id, name_key=profile_name.lower())
    profile = first_with_prefetched_tags(rows.select_related("role__boundary"))
    asked = instance_profile_arn(principal.account_id, "/", profile_name)
    if profile is None:
        return Loaded(asked, None, {}, asked)
    return Loaded(profile.arn, profile, resource_tags(profile), asked)


def load_machine(principal: Principal, machine_name: str) -> Loaded:
    rows = Machine.objects.filter(account_id=principal.account_id, name_key=machine_name.lower())
    machine = rows.select_related("profile__role").prefetch_related("profile__tags").first()
    asked = machine_arn(principal.account_id, machine_name)
    return Loaded(machine.arn if machine else asked, machine, {}, asked)


def load_group(principal: Principal, group_name: str) -> Loaded:
    group = read_group(principal.account_id, group_name)
    asked = group_arn(principal.account_id, "/", group_name)
    return Loaded(group.arn if group else asked, group, {}, asked)


def load_policy(principal: Principal, scope: str, policy_name: str) -> Loaded:
    account_id = None if scope == AWS else principal.account_id
    rows = ManagedPolicy.objects.filter(account_id=account_id, name_key=policy_name.lower())
    policy, tags = first_with_tags(rows.select_related("account"))
    asked = policy_arn(account_id, "/", policy_name)
    return Loaded(policy.arn if policy else asked, policy, resource_tag_keys(tags), asked, tags)


def load_saml_provider(principal: Principal, provider_name: str) -> Loaded:
    rows = SAMLProvider.objects.filter(account_id=principal.account_id, name=provider_name)
    provider = first_with_prefetched_tags(rows.select_related("account"))
    arn = saml_provider_arn(principal.account_id, provider_name)
    return Loaded(arn, provider, provider_tags(provider) if provider else {}, arn)


def load_oidc_provider(principal: Principal, provider_url: str) -> Loaded:
    rows = OIDCProvider.objects.filter(account_id=principal.account_id, url=provider_url)
    provider = first_with_prefetched_tags(rows.select_related("account"))
    arn = oidc_provider_arn(principal.account_id, provider_url)
    return Loaded(arn, provider, provider_tags(provider) if provider else {}, arn)


def load_server_certificate(principal: Principal, certificate_name: str) -> Loaded:
    rows = ServerCertificate.objects.filter(account_id=principal.account_id, name_key=certificate_name.lower())
    row, tags = first_with_tags(rows.select_related("account"))
    asked = server_certificate_arn(principal.account_id, "/", certificate_name)
    return Loaded(row.arn if row else asked, row, resource_tag_keys(tags), asked, tags)


def load_mfa_device(principal: Principal, device_name: str) -> Loaded:
    """`device_name` is path and name without the first slash: the serial number that is asked about is all of it."""
    arn = serial_number_of(principal.account_id, device_name)
    row, tags = first_with_tags(devices_named(principal.account_id, arn).select_related("account", "user"))
    return Loaded(arn, row, resource_tag_keys(tags), arn, tags)


def load_service(principal: Principal, service_prefix: str) -> Loaded:
    service = RegisteredService.objects.filter(account_id=principal.account_id, prefix=service_prefix.lower()).first()
    asked = service_arn(principal.account_id, service_prefix.lower())
    return Loaded(asked, service, {}, asked)


def load_route_table(principal: Principal, table_name: str) -> Loaded:
    table = RouteTable.objects.filter(account_id=principal.account_id, name_key=table_name.lower()).first()
    asked = route_table_arn(principal.account_id, table_name)
    return Loaded(table.arn if table else asked, table, {}, asked)


def load_self(principal: Principal) -> Loaded:
    """The caller's own user, for the pages about oneself; root has none and needs none."""
    if principal.type == "user":
        return load_user(principal, principal.name)
    return Loaded(principal.arn, None, {}, principal.arn)


LOADERS: dict[str, tuple[Callable[..., Loaded], tuple[str, ...]]] = {
    "user": (load_user, ("user_name",)),
    "group": (load_group, ("group_name",)),
    "role": (load_role, ("role_name",)),
    "instance_profile": (load_instance_profile, ("profile_name",)),
    "machine": (load_machine, ("machine_name",)),
    "saml_provider": (load_saml_provider, ("provider_name",)),
    "oidc_provider": (load_oidc_provider, ("provider_url",)),
    "route_table": (load_route_table, ("table_name",)),
    "server_certificate": (load_server_certificate, ("certificate_name",)),
    "mfa_device": (load_mfa_device, ("device_name",)),
    "policy": (load_policy, ("scope", "policy_name")),
    "service": (load_service, ("service_prefix",)),
}
