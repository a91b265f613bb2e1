"""How a role is used by those whom it lets in: addresses, profiles, calls and attributes, ready to copy."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from access.switching import link_to
from audit.http import Gate
from federation import sp
from federation.models import OIDCProvider, SAMLProvider
from federation.oidc import OAUTH_ONLY
from federation.saml.claims import ROLE, ROLE_SESSION_NAME
from federation.services.oidc_sign_in import enabled_sign_ins
from federation.services.tags import resource_tags
from federation.start_paths import OIDC, SAML, start_path
from identities.models import Role
from identities.services.trusted_entities import trusted_entities

REGION = "us-east-1"
_SAML, _OIDC = ":saml-provider/", ":oidc-provider/"


@dataclass(frozen=True, slots=True)
class Value:
    """Something to copy: a line, or the lines of a file. `link` where it is a page of this console."""

    key: str
    label: str
    text: str
    hint: str = ""
    link: str = ""

    @property
    def is_long(self) -> bool:
        return "\n" in self.text


@dataclass(frozen=True, slots=True)
class Guide:
    """One way of using a role."""

    key: str
    title: str
    lead: str
    values: tuple[Value, ...] = ()


def guides(role: Role, document: str, gate: Gate, *, who: str = "") -> list[Guide]:
    """For everybody whom the document, with its present ARNs, lets in. `who` is the use that the role was made for."""
    trusted = trusted_entities(document, role.account_id)
    kinds, for_people = {each.kind for each in trusted}, any(each.is_of_an_account for each in trusted)
    found: list[Guide] = []
    if for_people and who == "broker":
        found.append(_for_brokers(role, document))
    elif for_people:
        found += [_in_the_console(role, document), _by_program(role, document)]
        found += (
            [_policy_for(role, document, elsewhere="account" in kinds)] if kinds & {"account", "this account"} else []
        )
    found += [_by_service(role)] if "service" in kinds else []
    federated = list(dict.fromkeys(_federated(document)))
    for index, provider in enumerate(federated):
        make = _for_saml if _SAML in provider else _for_web
        found.append(make(role, provider, document, gate, f"-{index}" if index else ""))
    return found


def _in_the_console(role: Role, document: str) -> Guide:
    if condition(document, "sts:ExternalId"):
        lead = "The role asks for an external id, so nobody can switch to it in the console: only programs take it on."
        return Guide("console", "In the console", lead)
    link = f"{reverse('access:switch-role')}?{link_to(role.account_id, f'{role.path}{role.name}'.removeprefix('/'))}"
    lead = "People sign in as themselves and follow this link."
    return Guide("console", "In the console", lead, (Value("switch", "Link", settings.SITE_URL + link, link=link),))


def _by_program(role: Role, document: str) -> Guide:
    lead = (
        "Add this to ~/.aws/config, beside a profile with the keys of somebody whom the role lets in. The AWS command "
        f"line and all SDKs take on the role by themselves with --profile {role.name}, and again before it ends."
    )
    asks_mfa = condition(document, "aws:MultiFactorAuthPresent")
    hint = "Each person puts in the ARN of their own MFA device, from “My security credentials”." if asks_mfa else ""
    return Guide("program", "By program", lead, (Value("profile", "Profile", _profile(role, document), hint),))


def _profile(role: Role, document: str) -> str:
    lines = [
        f"[profile {role.name}]",
        f"role_arn = {role.arn}",
        "source_profile = default",
        f"endpoint_url = {settings.SITE_URL}",
    ]
    if external_id := condition(document, "sts:ExternalId"):
        lines.append(f"external_id = {external_id}")
    if condition(document, "aws:MultiFactorAuthPresent"):
        lines.append("mfa_serial = ARN-OF-YOUR-MFA-DEVICE")
    return "\n".join(lines)


def _policy_for(role: Role, document: str, *, elsewhere: bool) -> Guide:
    """An account that is let in decides itself which of its users may come."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role.arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    external_id = condition(document, "sts:ExternalId")
    values = (
        Value("policy", "Policy", policy),
        *((Value("arn", "Role ARN", role.arn),) if elsewhere else ()),
        *((Value("external-id", "External id", external_id),) if elsewhere and external_id else ()),
    )
    if elsewhere:
        lead = "Send this to the other account's administrator: users and roles there need this policy to come in."
        return Guide("permission", "For the other account", lead, values)
    lead = "The trust policy leaves it to the account who may come: give this policy to a user, or to a group of them."
    return Guide("permission", "Permission for users", lead, values)


def _by_service(role: Role) -> Guide:
    lead = "Whoever sets the service up hands it the role by its ARN, and needs iam:PassRole on the role for that."
    return Guide("service", "By the service", lead, (Value("arn", "Role ARN", role.arn),))


def _for_brokers(role: Role, document: str) -> Guide:
    lead = (
        "The program runs with the access key of the user that the role lets in. For each person whom it has signed in "
        "it takes on the role under that person's name, gets a sign-in token, and sends the browser to the address."
    )
    values = (
        Value("broker", "In Python", _broker_program(role, document), "The address signs in whoever has it, once."),
        Value("federation", "Where sign-in tokens come from", f"{settings.SITE_URL}/federation"),
    )
    return Guide("broker", "In the company's sign-in program", lead, values)


def _broker_program(role: Role, document: str) -> str:
    external_id = condition(document, "sts:ExternalId")
    more = f", ExternalId={external_id!r}" if external_id else ""
    return dedent(f"""\
        import json, sys, urllib.parse, urllib.request
        import boto3

        CONSOLE = "{settings.SITE_URL}"
        person = sys.argv[1]  # whom your program has signed in
        sts = boto3.client("sts", endpoint_url=CONSOLE, region_name="{REGION}")
        made = sts.assume_role(RoleArn="{role.arn}", RoleSessionName=person{more})["Credentials"]
        names = {{"sessionId": "AccessKeyId", "sessionKey": "SecretAccessKey", "sessionToken": "SessionToken"}}
        session = json.dumps({{ours: made[theirs] for ours, theirs in names.items()}})
        form = urllib.parse.urlencode({{"Action": "getSigninToken", "Session": session}}).encode()
        token = json.load(urllib.request.urlopen(f"{{CONSOLE}}/federation", data=form))["SigninToken"]
        words = {{"Action": "login", "Destination": f"{{CONSOLE}}/dashboard/", "SigninToken": token}}
        print(f"{{CONSOLE}}/federation?{{urllib.parse.urlencode(words)}}")""")


def _for_web(role: Role, provider: str, document: str, gate: Gate, suffix: str) -> Guide:
    issuer = provider.partition(_OIDC)[2] or provider
    if issuer in OAUTH_ONLY:
        lead = f"Access tokens of {issuer} are not accepted here, so nobody gets in this way: OpenID Connect does it."
        return Guide(f"web{suffix}", f"With a token of {issuer}", lead)
    audience = condition(document, f"{issuer}:aud")
    made_for = f", made for {audience}," if audience else ""
    lead = f"A token of {issuer}{made_for} becomes credentials of the role. No key of this account is needed for it."
    values = (
        *_console_start(provider, gate, suffix),
        Value(
            f"environment{suffix}",
            "Environment of a program",
            _environment(role),
            "Where the token lies in a file that is kept fresh: a build system, a cluster. SDKs do the rest.",
        ),
        Value(f"cli{suffix}", "AWS command line", _cli_call(role), "With the token in TOKEN."),
        Value(f"http{suffix}", "From an app", _http_call(role), "Any HTTP client will do: the call is not signed."),
    )
    return Guide(f"web{suffix}", f"With a token of {issuer}", lead, values)


def _environment(role: Role) -> str:
    values = {
        "AWS_ROLE_ARN": role.arn,
        "AWS_ROLE_SESSION_NAME": "my-app",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/path/to/token",
        "AWS_ENDPOINT_URL": settings.SITE_URL,
        "AWS_DEFAULT_REGION": REGION,
    }
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _cli_call(role: Role) -> str:
    lines = (
        f"aws sts assume-role-with-web-identity --endpoint-url {settings.SITE_URL} --region {REGION}",
        f"  --role-arn {role.arn}",
        '  --role-session-name my-app --web-identity-token "$TOKEN"',
    )
    return " \\\n".join(lines)


def _http_call(role: Role) -> str:
    lines = (
        f"curl {settings.SITE_URL}/ -d Action=AssumeRoleWithWebIdentity -d Version=2011-06-15",
        f"  -d RoleArn={role.arn}",
        '  -d RoleSessionName=my-app --data-urlencode "WebIdentityToken=$TOKEN"',
    )
    return " \\\n".join(lines)


def _console_start(provider: str, gate: Gate, suffix: str) -> tuple[Value, ...]:
    """Where people of an OpenID Connect provider come in, told to whoever may read the provider."""
    account_id, url = provider.split(":")[4] if _OIDC in provider else "", provider.partition(_OIDC)[2]
    rows = OIDCProvider.objects.filter(account_id=account_id, url=url) if url else OIDCProvider.objects.none()
    if not _may_read(rows, "iam:GetOpenIDConnectProvider", gate):
        return ()
    if not enabled_sign_ins().filter(provider__in=rows).exists():
        return ()
    return (_start(f"start{suffix}", start_path(OIDC, account_id, url)),)


def _for_saml(role: Role, provider: str, document: str, gate: Gate, suffix: str) -> Guide:
    name = provider.partition(_SAML)[2]
    lead = (
        f"The administrator of {name} gives the people who may have the role these two attributes, and knows this "
        "console as a service provider by the two addresses."
    )
    values = (
        Value(f"role-attribute{suffix}", "First attribute", ROLE),
        Value(f"role-value{suffix}", "Its value, one for each role", f"{role.arn},{provider}"),
        Value(
            f"session-attribute{suffix}",
            "Second attribute",
            ROLE_SESSION_NAME,
            "Its value is what the person is called: an e-mail address or a short name, 2 to 64 letters, digits and "
            "_ + = , . @ -.",
        ),
        Value(f"entity{suffix}", "Entity ID (audience)", sp.entity_id()),
        Value(f"acs{suffix}", "Reply address (ACS)", sp.acs_url()),
        *_saml_start(provider, gate, suffix),
    )
    return Guide(f"saml{suffix}", f"In the company's directory, {name}", lead, values)


def _saml_start(provider: str, gate: Gate, suffix: str) -> tuple[Value, ...]:
    account_id, name = provider.split(":")[4], provider.partition(_SAML)[2]
    rows = SAMLProvider.objects.filter(account_id=account_id, name=name).exclude(single_sign_on_url="")
    if not _may_read(rows, "iam:GetSAMLProvider", gate):
        return ()
    return (_start(f"start{suffix}", start_path(SAML, account_id, name)),)


def _may_read(rows: QuerySet[SAMLProvider] | QuerySet[OIDCProvider], action: str, gate: Gate) -> bool:
    """Whether there is such a provider, and the reader may see it."""
    provider = rows.prefetch_related("tags").first()
    return provider is not None and gate.may(action, provider.arn, resource_tags(provider)).allowed


def _start(key: str, link: str) -> Value:
    return Value(key, "Its people begin here", settings.SITE_URL + link, link=link)


def condition(document: str, key: str) -> str:
    """The first value that a statement wants for a condition key; '' where none does."""
    for statement in _statements(document):
        for wanted in statement.get("Condition", {}).values():
            for name, values in wanted.items():
                if name.lower() == key.lower():
                    return str(values[0] if isinstance(values, list) else values)
    return ""


def _federated(document: str) -> Iterator[str]:
    for statement in _statements(document):
        principal = statement.get("Principal", {})
        names = principal.get("Federated", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow":
            yield from names if isinstance(names, list) else [names]


def _statements(document: str) -> list[Mapping[str, Any]]:
    found = json.loads(document).get("Statement", [])
    return found if isinstance(found, list) else [found]
