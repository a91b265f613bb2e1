"""SAML providers by program."""

from typing import Any

import pytest

from accounts.models import Account
from audit.errors import NoSuchEntity
from audit.models import Event
from federation.models import SAMLPrivateKey, SAMLProvider
from federation.services.saml_providers import set_use, update_saml_provider
from identities.models import User
from identities.sealed import box
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import ACME, allow, principal_of
from tests.federation.companies import key_descriptor, metadata, pem

ARN = f"arn:aws:iam::{ACME}:saml-provider/corp"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def create(program: Program, **inputs: Any) -> Any:
    return program.iam("CreateSAMLProvider", **{"Name": "corp", "SAMLMetadataDocument": metadata(), **inputs})


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def test_it_creates_and_gives_back_what_it_was_given(program: Program) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    made = create(program, Tags=tags, AssertionEncryptionMode="Required", AddPrivateKey=pem("ours"))
    assert (made["SAMLProviderArn"], made["Tags"]) == (ARN, tags)
    provider = program.iam("GetSAMLProvider", SAMLProviderArn=ARN)
    assert provider["SAMLMetadataDocument"] == metadata()
    assert (provider["Tags"], provider["AssertionEncryptionMode"]) == (tags, "Required")
    assert (len(provider["PrivateKeyList"]), len(provider["SAMLProviderUUID"])) == (1, 32)
    listed = program.iam("ListSAMLProviders")["SAMLProviderList"]
    assert listed == [{"Arn": ARN, "ValidUntil": provider["ValidUntil"], "CreateDate": provider["CreateDate"]}]


def test_a_name_is_taken_once_and_compared_exactly(program: Program) -> None:
    create(program)
    with pytest.raises(Refused) as refused:
        create(program)
    assert (refused.value.status, refused.value.code) == (409, "EntityAlreadyExists")
    create(program, Name="Corp")


def test_it_says_what_is_wrong_with_metadata(program: Program) -> None:
    with pytest.raises(Refused) as refused:
        create(program, SAMLMetadataDocument="x" * 1000)
    assert (refused.value.status, refused.value.code) == (400, "InvalidInput")
    assert refused.value.message == "Could not parse metadata: It is not well-formed XML."


def test_it_updates_the_metadata(program: Program) -> None:
    create(program)
    fresh = metadata(key_descriptor("next"), key_descriptor())
    assert program.iam("UpdateSAMLProvider", SAMLProviderArn=ARN, SAMLMetadataDocument=fresh)["SAMLProviderArn"] == ARN
    assert program.iam("GetSAMLProvider", SAMLProviderArn=ARN)["SAMLMetadataDocument"] == fresh
    assert len(SAMLProvider.objects.get().certificates) == 2


def test_all_of_it_changes_at_once(program: Program) -> None:
    create(program, AddPrivateKey=pem("ours"), Tags=[{"Key": "team", "Value": "red"}])
    former = SAMLPrivateKey.objects.get()
    inputs = {"SAMLMetadataDocument": metadata(key_descriptor("next")), "AssertionEncryptionMode": "Required"}
    keys = {"RemovePrivateKey": former.key_id, "AddPrivateKey": pem("ours-2")}
    program.iam("UpdateSAMLProvider", SAMLProviderArn=ARN, **inputs, **keys)
    told, present = program.iam("GetSAMLProvider", SAMLProviderArn=ARN), SAMLPrivateKey.objects.get()
    assert {name: told[name] for name in inputs} == inputs
    assert box().open(present.key_encrypted, present.sealed_row) == pem("ours-2")
    assert present.created_at > former.created_at
    event = Event.objects.get(action="iam:UpdateSAMLProvider").detail
    assert [event[when]["private_keys"] for when in ("before", "after")] == [[former.key_id], [present.key_id]]
    assert [event[when]["encryption_mode"] for when in ("before", "after")] == ["", "Required"]


def test_the_trail_tells_what_was_there_and_not_what_the_caller_had_read(program: Program, alice: User) -> None:
    create(program)
    read = SAMLProvider.objects.get()
    set_use(by=principal_of(alice), provider=read, enabled=True, starts_sign_in=True)
    update_saml_provider(by=principal_of(alice), provider=read, encryption_mode="Allowed")
    event = Event.objects.latest("id").detail
    assert [event[when]["starts_sign_in"] for when in ("before", "after")] == [True, True]
    assert SAMLProvider.objects.get().starts_sign_in
    read.delete()
    with pytest.raises(NoSuchEntity):
        update_saml_provider(by=principal_of(alice), provider=read, encryption_mode="")


def test_private_keys_are_two_at_most_and_never_given_back(program: Program) -> None:
    create(program, AssertionEncryptionMode="Required", AddPrivateKey=pem("ours"))
    program.iam("UpdateSAMLProvider", SAMLProviderArn=ARN, AddPrivateKey=pem("ours-2"))
    third = refusal(program, "UpdateSAMLProvider", SAMLProviderArn=ARN, AddPrivateKey=pem("ours"))
    assert third[:2] == (409, "LimitExceeded")
    answer = program.iam("GetSAMLProvider", SAMLProviderArn=ARN)
    first, second = (key["KeyId"] for key in answer["PrivateKeyList"])
    assert "PRIVATE KEY" not in str(answer)
    program.iam("UpdateSAMLProvider", SAMLProviderArn=ARN, RemovePrivateKey=first, AddPrivateKey=pem("ours"))
    left = {key["KeyId"] for key in program.iam("GetSAMLProvider", SAMLProviderArn=ARN)["PrivateKeyList"]}
    assert first not in left and second in left


@pytest.mark.bar(79)
def test_private_keys_are_sealed_and_not_in_the_audit_trail(program: Program) -> None:
    create(program, AddPrivateKey=pem("ours"))
    assert "PRIVATE" not in SAMLPrivateKey.objects.get().key_encrypted
    assert not any("PRIVATE KEY" in str(event.detail) for event in Event.objects.all())


def test_encryption_is_not_required_without_a_key(program: Program) -> None:
    with pytest.raises(Refused, match="without a private key"):
        create(program, AssertionEncryptionMode="Required")
    create(program, AssertionEncryptionMode="Required", AddPrivateKey=pem("ours"))
    key_id = SAMLPrivateKey.objects.get().key_id
    assert refusal(program, "UpdateSAMLProvider", SAMLProviderArn=ARN, RemovePrivateKey=key_id)[1] == "InvalidInput"
    assert SAMLPrivateKey.objects.exists()


@pytest.mark.parametrize("key", ["hello", "x" * 16384, metadata()[:900]])
def test_it_refuses_what_is_no_private_key(program: Program, key: str) -> None:
    with pytest.raises(Refused, match="must be an RSA key"):
        create(program, AddPrivateKey=key)


def test_tags_are_compared_exactly(program: Program) -> None:
    create(program, Tags=[{"Key": "Team", "Value": "red"}])
    program.iam("TagSAMLProvider", SAMLProviderArn=ARN, Tags=[{"Key": "team", "Value": "blue"}])
    program.iam("TagSAMLProvider", SAMLProviderArn=ARN, Tags=[{"Key": "Team", "Value": "green"}])
    listed = program.iam("ListSAMLProviderTags", SAMLProviderArn=ARN)["Tags"]
    assert listed == [{"Key": "Team", "Value": "green"}, {"Key": "team", "Value": "blue"}]
    program.iam("UntagSAMLProvider", SAMLProviderArn=ARN, TagKeys=["Team", "nothing"])
    listed = program.iam("ListSAMLProviderTags", SAMLProviderArn=ARN)["Tags"]
    assert listed == [{"Key": "team", "Value": "blue"}]


def test_a_bad_tag_fails_the_whole_creation(program: Program) -> None:
    with pytest.raises(Refused):
        create(program, Tags=[{"Key": "aws:x", "Value": ""}])
    assert not SAMLProvider.objects.exists()


def test_tags_at_birth_need_the_permission_to_tag(program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:CreateSAMLProvider")
    bobs = program_of(bob)
    with pytest.raises(Refused, match="iam:TagSAMLProvider"):
        create(bobs, Tags=[{"Key": "team", "Value": "red"}])
    create(bobs)


def test_conditions_see_its_tags(program: Program, program_of: ProgramOf, bob: User) -> None:
    create(program, Tags=[{"Key": "team", "Value": "red"}])
    create(program, Name="other")
    allow(bob, "iam:GetSAMLProvider", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}})
    bobs = program_of(bob)
    bobs.iam("GetSAMLProvider", SAMLProviderArn=ARN)
    assert refusal(bobs, "GetSAMLProvider", SAMLProviderArn=ARN.replace("corp", "other"))[1] == "AccessDenied"


def test_it_deletes(program: Program) -> None:
    create(program)
    program.iam("DeleteSAMLProvider", SAMLProviderArn=ARN)
    assert refusal(program, "GetSAMLProvider", SAMLProviderArn=ARN) == (
        404,
        "NoSuchEntity",
        f"Manifest not found for arn {ARN}",
    )
    actions = list(Event.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["iam:CreateSAMLProvider", "iam:DeleteSAMLProvider"]


def test_it_keeps_the_quota(program: Program, acme: Account) -> None:
    Account.objects.filter(pk=acme.pk).update(quota_overrides={"saml_providers": 1})
    create(program)
    with pytest.raises(Refused) as refused:
        create(program, Name="other")
    assert refused.value.message == "Cannot exceed quota for SAMLProvidersPerAccount: 1"


def test_it_refuses_what_is_no_arn_of_a_provider(program: Program) -> None:
    for arn in (f"arn:aws:iam::{ACME}:user/corp-corp", f"arn:aws:iam::{ACME}:oidc-provider/corp"):
        assert refusal(program, "GetSAMLProvider", SAMLProviderArn=arn)[1] == "InvalidInput"
