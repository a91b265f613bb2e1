"""AssumeRoleWithSAML and AssumeRoleWithWebIdentity over the wire: people and programs from outside, unsigned."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.test import Client

from access import federated_roles
from access.throttle import Limit
from accounts.models import Account
from audit.models import Event
from federation import sp
from federation.models import OIDCProvider, SAMLProvider
from federation.oidc import SOURCE_IDENTITY, TAGS
from federation.services.oidc_providers import create_oidc_provider
from federation.services.saml_providers import create_saml_provider, set_use
from identities.models import Role
from tests.api.program import Program, Refused
from tests.cast import ACME, allow, make_role, root_of
from tests.federation.companies import metadata, private_key
from tests.federation.forge import ATTRIBUTES, Sent, encoded, signed
from tests.federation.issuers import Issuer
from tests.rig.programs import CONFIG, Programs

OUTSIDE = Program("", "")
LIMIT = {"arn": "arn:aws:iam::aws:policy/IAMUserChangePassword"}


def stranger(operation: str, address: str = "192.0.2.7", **inputs: Any) -> Any:
    """Call without a signature, as SDKs do for these two."""
    form = OUTSIDE.form("sts", operation, **inputs)
    response: Any = Client().post("/", form, content_type="application/x-www-form-urlencoded", REMOTE_ADDR=address)
    return OUTSIDE.read("sts", operation, response)


def federated(provider: str, action: str, condition: Any = None, *more: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": [f"sts:{action}", *more],
        "Condition": condition or {},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def credentials_of(made: Any) -> Program:
    found = made["Credentials"]
    return Program(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def refusal(operation: str, **inputs: Any) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        stranger(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


class TestSAML:
    NAME = "AssumeRoleWithSAML"

    @pytest.fixture
    def provider(self, acme: Account) -> SAMLProvider:
        return create_saml_provider(by=root_of(acme), name="corp", metadata=metadata())

    @pytest.fixture
    def role(self, acme: Account, provider: SAMLProvider) -> Role:
        only = {"StringEquals": {"saml:aud": sp.acs_url()}}
        role = make_role(acme, "ops", federated(provider.arn, self.NAME, only, "sts:TagSession"))
        allow(role, "iam:List*")
        return role

    def response(self, role: Role | str, provider: SAMLProvider, **changes: Any) -> str:
        arn = role if isinstance(role, str) else role.arn
        attributes: dict[str, Any] = {
            f"{ATTRIBUTES}Role": [f"{arn},{provider.arn}"],
            f"{ATTRIBUTES}RoleSessionName": ["jane@corp.example"],
            **changes.pop("attributes", {}),
        }
        here = {"audience": sp.entity_id(), "recipient": sp.acs_url(), "destination": sp.acs_url()}
        given = {name: values for name, values in attributes.items() if values is not None}
        return encoded(signed(Sent(**{**here, "attributes": given, **changes})))

    def inputs(self, role: Role | str, provider: SAMLProvider, **changes: Any) -> dict[str, Any]:
        arn = role if isinstance(role, str) else role.arn
        response = self.response(role, provider, **changes)
        return {"RoleArn": arn, "PrincipalArn": provider.arn, "SAMLAssertion": response}

    def test_it_gives_credentials_that_work(self, role: Role, provider: SAMLProvider) -> None:
        made = stranger(self.NAME, **self.inputs(role, provider))
        assert (made["Subject"], made["SubjectType"], made["Audience"]) == (
            "jane@corp.example",
            "persistent",
            sp.acs_url(),
        )
        assert made["Issuer"] == provider.entity_id and len(made["NameQualifier"]) == 28
        identity = credentials_of(made).sts("GetCallerIdentity")
        assert identity["Arn"] == f"arn:aws:sts::{ACME}:assumed-role/ops/jane@corp.example"
        assert "Users" in credentials_of(made).iam("ListUsers")

    def test_policies_by_arn_limit_it(self, role: Role, provider: SAMLProvider) -> None:
        made = stranger(self.NAME, **self.inputs(role, provider), PolicyArns=[LIMIT])
        with pytest.raises(Refused, match="because no session policy allows"):
            credentials_of(made).iam("ListUsers")

    def test_it_records_whom_the_provider_vouched_for(self, role: Role, provider: SAMLProvider) -> None:
        made = stranger(self.NAME, **self.inputs(role, provider))
        event = Event.objects.get(action="sts:AssumeRoleWithSAML")
        assert (event.account_id, event.principal_type, event.principal_arn) == (ACME, "federated", provider.arn)
        assert event.principal_name == "jane@corp.example"
        assert made["Credentials"]["SecretAccessKey"] not in str(event.detail)

    @pytest.mark.bar(102)
    def test_an_assertion_counts_once(self, role: Role, provider: SAMLProvider) -> None:
        inputs = self.inputs(role, provider)
        stranger(self.NAME, **inputs)
        assert refusal(self.NAME, **inputs)[:2] == (400, "InvalidIdentityToken")

    def test_what_was_refused_for_another_reason_is_not_used_up(self, role: Role, provider: SAMLProvider) -> None:
        inputs = self.inputs(role, provider)
        assert refusal(self.NAME, **inputs, DurationSeconds=7200)[1] == "ValidationError"
        stranger(self.NAME, **inputs)

    @pytest.mark.bar(92, 103)
    def test_an_outsider_learns_one_thing_only(self, role: Role, provider: SAMLProvider, acme: Account) -> None:
        good = self.inputs(role, provider)
        forged = encoded(signed(Sent(), key="attacker"))
        answers = {
            refusal(self.NAME, **{**good, "SAMLAssertion": forged}),
            refusal(self.NAME, **{**good, "SAMLAssertion": "aGVsbG8="}),
            refusal(self.NAME, **{**good, "PrincipalArn": f"arn:aws:iam::{ACME}:saml-provider/nobody"}),
            refusal(self.NAME, **{**good, "PrincipalArn": "arn:aws:iam::999999999999:saml-provider/corp"}),
        }
        set_use(by=root_of(acme), provider=provider, enabled=False, starts_sign_in=False)
        answers.add(refusal(self.NAME, **good))
        assert answers == {(400, "InvalidIdentityToken", "Response signature invalid")}
        reasons = Event.objects.filter(outcome="Failure", account_id=ACME).values_list("detail__reason", flat=True)
        assert "There is no such provider." in reasons and len(reasons) == 5

    @pytest.mark.bar(105)
    def test_role_and_provider_must_belong_together(
        self, role: Role, provider: SAMLProvider, globex: Account, acme: Account
    ) -> None:
        other = create_saml_provider(by=root_of(acme), name="other", metadata=metadata())
        theirs = make_role(globex, "ops", federated(provider.arn, self.NAME))
        untrusting = make_role(acme, "closed", federated(other.arn, self.NAME))
        missing = f"arn:aws:iam::{ACME}:role/nobody"
        good = self.inputs(role, provider)
        not_named = {**good, "SAMLAssertion": self.response(missing, provider)}
        through_another = {**good, "PrincipalArn": other.arn}
        wrong = [not_named, through_another, *(self.inputs(each, provider) for each in (theirs, untrusting, missing))]
        said = {refusal(self.NAME, **inputs) for inputs in wrong}
        assert said == {(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")}
        assert Event.objects.filter(action=f"sts:{self.NAME}", outcome="Denied").count() == 5

    def test_conditions_ask_what_the_provider_said(self, acme: Account, provider: SAMLProvider) -> None:
        only = {"StringEquals": {"saml:sub": "jane@corp.example", "saml:sub_type": "persistent"}}
        role = make_role(acme, "jane", federated(provider.arn, self.NAME, only))
        stranger(self.NAME, **self.inputs(role, provider))
        somebody = self.inputs(role, provider, name_id="joe@corp.example", assertion_id="_joe")
        assert refusal(self.NAME, **somebody)[1] == "AccessDenied"

    @pytest.mark.parametrize(
        ("attributes", "message"),
        [
            ({"RoleSessionName": None}, "RoleSessionName is required in AuthnResponse"),
            ({"RoleSessionName": ["a b"]}, "RoleSessionName in AuthnResponse must match"),
            ({"RoleSessionName": ["a", "b"]}, "RoleSessionName is required"),
            ({"SourceIdentity": ["aws:x"]}, "SourceIdentity in AuthnResponse must match"),
            ({"SessionDuration": ["899"]}, "SessionDuration in AuthnResponse must be between"),
            ({"SessionDuration": ["soon"]}, "SessionDuration in AuthnResponse must be a number"),
        ],
    )
    def test_malformed_attributes_are_told(
        self, role: Role, provider: SAMLProvider, attributes: dict[str, Any], message: str
    ) -> None:
        named = {f"{ATTRIBUTES}{name}": values for name, values in attributes.items()}
        status, code, said = refusal(self.NAME, **self.inputs(role, provider, attributes=named))
        assert (status, code) == (400, "InvalidIdentityToken") and said.startswith(message)

    def test_the_provider_s_own_session_is_not_outlived(self, role: Role, provider: SAMLProvider) -> None:
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
        made = stranger(self.NAME, **self.inputs(role, provider, session_end=soon))
        assert made["Credentials"]["Expiration"] == soon
        shorter = {f"{ATTRIBUTES}SessionDuration": ["900"]}
        made = stranger(self.NAME, **self.inputs(role, provider, attributes=shorter, assertion_id="_b"))
        assert made["Credentials"]["Expiration"] <= datetime.now(UTC) + timedelta(seconds=900)

    def test_an_old_response_has_expired(self, role: Role, provider: SAMLProvider) -> None:
        old = self.inputs(role, provider, at=datetime.now(UTC) - timedelta(minutes=30))
        assert refusal(self.NAME, **old)[:2] == (400, "ExpiredTokenException")

    def test_session_tags_need_the_permission_and_go_along(
        self, acme: Account, role: Role, provider: SAMLProvider
    ) -> None:
        tagged = {f"{ATTRIBUTES}PrincipalTag:Team": ["red"], f"{ATTRIBUTES}TransitiveTagKeys": ["Team"]}
        made = stranger(self.NAME, **self.inputs(role, provider, attributes=tagged))
        red = {"StringEquals": {"aws:PrincipalTag/Team": "red"}}
        allow(role, "iam:GetAccountSummary", name="red", Condition=red)
        credentials_of(made).iam("GetAccountSummary")
        plain = make_role(acme, "plain", federated(provider.arn, self.NAME))
        inputs = self.inputs(plain, provider, attributes=tagged, assertion_id="_c")
        assert refusal(self.NAME, **inputs)[1] == "AccessDenied"

    def test_the_source_identity_needs_the_permission_and_stays(self, acme: Account, provider: SAMLProvider) -> None:
        named = {f"{ATTRIBUTES}SourceIdentity": ["Jane"]}
        plain = make_role(acme, "plain", federated(provider.arn, self.NAME))
        assert refusal(self.NAME, **self.inputs(plain, provider, attributes=named))[1] == "AccessDenied"
        role = make_role(acme, "traced", federated(provider.arn, self.NAME, None, "sts:SetSourceIdentity"))
        made = stranger(self.NAME, **self.inputs(role, provider, attributes=named, assertion_id="_d"))
        assert made["SourceIdentity"] == "Jane"

    @pytest.mark.bar(10, 11, 92)
    def test_refused_tries_of_an_address_are_limited_and_good_ones_are_not(
        self, role: Role, provider: SAMLProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = Limit("federation-from-address", 3, timedelta(minutes=15))
        monkeypatch.setattr(federated_roles, "TRIES", few)
        for number in range(5):
            stranger(self.NAME, **self.inputs(role, provider, assertion_id=f"_{number}"))
        bad = {**self.inputs(role, provider, assertion_id="_x"), "SAMLAssertion": "aGVsbG8="}
        assert [refusal(self.NAME, **bad)[1] for _ in range(4)] == ["InvalidIdentityToken"] * 3 + ["Throttling"]
        good = self.inputs(role, provider, assertion_id="_y")
        assert refusal(self.NAME, **good)[1] == "Throttling"
        stranger(self.NAME, address="192.0.2.8", **good)

    @pytest.mark.bar(92, 121)
    def test_strangers_do_not_fill_the_trail(self, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(federated_roles, "TRIES", Limit("federation-from-address", 3, timedelta(minutes=15)))
        by_token = {"RoleArn": role.arn, "RoleSessionName": "jane", "WebIdentityToken": "x.y.z"}
        for more in ({}, {"ProviderId": "www.amazon.com"}, {"ProviderId": "nobody"}, {}, {"ProviderId": "nobody"}, {}):
            refusal("AssumeRoleWithWebIdentity", **by_token, **more)
        recorded = Event.objects.filter(action="sts:AssumeRoleWithWebIdentity", account_id=ACME)
        told = ["InvalidIdentityToken", "InvalidIdentityToken", "ValidationError", "Throttling"]
        assert [event.error_code for event in recorded.order_by("id")] == told


class TestWebIdentity:
    NAME = "AssumeRoleWithWebIdentity"

    @pytest.fixture
    def provider(self, acme: Account, issuer: Issuer) -> OIDCProvider:
        return create_oidc_provider(by=root_of(acme), url=issuer.url, client_ids=["app"])

    @pytest.fixture
    def role(self, acme: Account, issuer: Issuer, provider: OIDCProvider) -> Role:
        only = {"StringEquals": {f"{issuer.name}:sub": "jane", f"{issuer.name}:aud": "app"}}
        role = make_role(acme, "mobile", federated(provider.arn, self.NAME, only))
        allow(role, "iam:List*")
        return role

    def inputs(self, role: Role | str, token: str, **more: Any) -> dict[str, Any]:
        arn = role if isinstance(role, str) else role.arn
        return {"RoleArn": arn, "RoleSessionName": "app-1", "WebIdentityToken": token, **more}

    def test_it_gives_credentials_that_work(self, role: Role, issuer: Issuer, provider: OIDCProvider) -> None:
        made = stranger(self.NAME, **self.inputs(role, issuer.token()))
        assert (made["SubjectFromWebIdentityToken"], made["Audience"]) == ("jane", "app")
        assert made["Provider"] == provider.arn
        assert "Users" in credentials_of(made).iam("ListUsers")
        event = Event.objects.get(action=f"sts:{self.NAME}")
        assert (event.account_id, event.principal_name, event.principal_arn) == (ACME, "jane", provider.arn)

    def test_policies_by_arn_limit_it(self, role: Role, issuer: Issuer) -> None:
        made = stranger(self.NAME, **self.inputs(role, issuer.token()), PolicyArns=[LIMIT])
        with pytest.raises(Refused, match="because no session policy allows"):
            credentials_of(made).iam("ListUsers")

    def test_a_token_may_be_used_again_as_long_as_it_is_good(self, role: Role, issuer: Issuer) -> None:
        token = issuer.token()
        for _ in range(2):
            stranger(self.NAME, **self.inputs(role, token))

    @pytest.mark.bar(92)
    def test_who_is_not_let_in_reads_the_same_as_for_a_role_that_is_not_there(
        self, role: Role, issuer: Issuer, acme: Account, globex: Account
    ) -> None:
        closed = make_role(acme, "closed")
        said = {
            refusal(self.NAME, **self.inputs(role, issuer.token(sub="joe"))),
            refusal(self.NAME, **self.inputs(closed, issuer.token())),
            refusal(self.NAME, **self.inputs(f"arn:aws:iam::{ACME}:role/nobody", issuer.token())),
        }
        assert said == {(403, "AccessDenied", f"Not authorized to perform sts:{self.NAME}")}

    @pytest.mark.bar(112)
    @pytest.mark.parametrize("claim", ["SUB", "Sub"])
    def test_a_claim_of_another_case_does_not_stand_for_the_one_that_is_asked_for(
        self, role: Role, issuer: Issuer, claim: str
    ) -> None:
        token = issuer.token(sub="joe", **{claim: "jane"})
        assert refusal(self.NAME, **self.inputs(role, token))[:2] == (403, "AccessDenied")

    def test_it_says_what_is_wrong_with_a_token(self, role: Role, issuer: Issuer) -> None:
        old = int(time.time()) - 900
        answers = {
            "hello": "InvalidIdentityToken",
            issuer.token(aud="other"): "InvalidIdentityToken",
            issuer.token(iss="https://unknown.example"): "InvalidIdentityToken",
            issuer.token(key=private_key("attacker")): "InvalidIdentityToken",
            issuer.token(iat=old, exp=old + 60): "ExpiredTokenException",
        }
        for token, code in answers.items():
            assert refusal(self.NAME, **self.inputs(role, token))[:2] == (400, code)

    def test_an_issuer_that_does_not_answer_is_told(self, role: Role, issuer: Issuer) -> None:
        issuer.discovery = {}
        assert refusal(self.NAME, **self.inputs(role, issuer.token()))[:2] == (400, "IDPCommunicationError")

    def test_session_tags_and_source_identity_come_from_the_token(
        self, acme: Account, issuer: Issuer, provider: OIDCProvider
    ) -> None:
        trust = federated(provider.arn, self.NAME, None, "sts:TagSession", "sts:SetSourceIdentity")
        role = make_role(acme, "tagged", trust)
        allow(role, "iam:GetAccountSummary", Condition={"StringEquals": {"aws:PrincipalTag/Team": "red"}})
        claims: dict[str, Any] = {TAGS: {"principal_tags": {"Team": ["red"]}}, SOURCE_IDENTITY: "Jane"}
        made = stranger(self.NAME, **self.inputs(role, issuer.token(**claims)))
        assert made["SourceIdentity"] == "Jane"
        credentials_of(made).iam("GetAccountSummary")

    def test_session_policies_limit_it(self, role: Role, issuer: Issuer) -> None:
        nothing = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
        made = stranger(self.NAME, **self.inputs(role, issuer.token(), Policy=nothing))
        with pytest.raises(Refused, match="AccessDenied"):
            credentials_of(made).iam("ListUsers")

    def test_the_role_s_own_maximum_holds(self, role: Role, issuer: Issuer) -> None:
        too_long = self.inputs(role, issuer.token(), DurationSeconds=3601)
        assert refusal(self.NAME, **too_long)[1] == "ValidationError"

    @pytest.mark.parametrize("company", ["www.amazon.com", "graph.facebook.com"])
    def test_access_tokens_are_not_taken(self, role: Role, company: str) -> None:
        status, code, message = refusal(self.NAME, **self.inputs(role, "Atza|x", ProviderId=company))
        assert (status, code) == (400, "InvalidIdentityToken")
        assert company in message and "OpenID Connect ID token" in message

    def test_a_provider_id_is_not_for_id_tokens(self, role: Role, issuer: Issuer) -> None:
        inputs = self.inputs(role, issuer.token(), ProviderId="accounts.google.com")
        assert refusal(self.NAME, **inputs)[1] == "ValidationError"

    @pytest.mark.django_db(transaction=True)
    def test_boto3_finds_the_token_file_and_takes_a_fresh_one(
        self, role: Role, issuer: Issuer, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "token"
        file.write_text(issuer.token())
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
            "AWS_ROLE_ARN": role.arn,
            "AWS_ROLE_SESSION_NAME": "pod-1",
            "AWS_ENDPOINT_URL": programs.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        arn = boto3.Session().client("sts", config=CONFIG).get_caller_identity()["Arn"]
        assert arn == f"arn:aws:sts::{ACME}:assumed-role/mobile/pod-1"
        file.write_text(issuer.token(sub="somebody-else"))
        with pytest.raises(ClientError, match="AccessDenied"):
            boto3.Session().client("sts", config=CONFIG).get_caller_identity()
