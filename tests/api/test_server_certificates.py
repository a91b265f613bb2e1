"""Server certificates by program."""

import pytest

from accounts.models import Account
from audit.models import Event
from identities.models import ServerCertificate, User
from identities.sealed import box
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow
from tests.identities.certificates import Issued, issue


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


@pytest.fixture(scope="module")
def root_ca() -> Issued:
    return issue("Root")


@pytest.fixture(scope="module")
def middle(root_ca: Issued) -> Issued:
    return issue("Middle", root_ca)


@pytest.fixture(scope="module")
def site(middle: Issued) -> Issued:
    return issue("www.example.com", middle)


def upload(program: Program, site: Issued, name: str = "www", **more: object) -> dict[str, object]:
    inputs = {"CertificateBody": site.body, "PrivateKey": site.private_key, **more}
    answer: dict[str, object] = program.iam("UploadServerCertificate", ServerCertificateName=name, **inputs)
    return answer


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code


def test_it_is_stored_with_its_chain_and_its_key_is_never_told(
    program: Program, site: Issued, middle: Issued, root_ca: Issued
) -> None:
    chain = middle.body + root_ca.body
    made = upload(program, site, Path="/eng/", CertificateChain=chain, Tags=[{"Key": "team", "Value": "red"}])
    metadata = made["ServerCertificateMetadata"]
    assert isinstance(metadata, dict)
    assert metadata["Arn"] == "arn:aws:iam::111122223333:server-certificate/eng/www"
    assert metadata["ServerCertificateId"].startswith("ASCA")
    assert metadata["Expiration"] == site.certificate.not_valid_after_utc
    got = program.iam("GetServerCertificate", ServerCertificateName="WWW")["ServerCertificate"]
    assert got["ServerCertificateMetadata"] == metadata
    assert (got["CertificateBody"], got["CertificateChain"]) == (site.body.strip(), chain.strip())
    assert got["Tags"] == made["Tags"] == [{"Key": "team", "Value": "red"}]
    assert "PRIVATE" not in str(got) + str(list(Event.objects.values_list()))
    row = ServerCertificate.objects.get()
    assert "PRIVATE" not in row.private_key_encrypted
    assert box().open(row.private_key_encrypted, row.sealed_row) == site.private_key


def test_another_certificates_key_is_refused(program: Program, site: Issued, middle: Issued) -> None:
    with pytest.raises(Refused, match="400 KeyPairMismatch"):
        upload(program, site, PrivateKey=middle.private_key)


@pytest.mark.parametrize("broken", ["CertificateBody", "PrivateKey", "CertificateChain"])
def test_what_is_no_pem_is_refused(program: Program, site: Issued, broken: str) -> None:
    with pytest.raises(Refused, match="400 MalformedCertificate"):
        upload(program, site, **{broken: "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----"})


@pytest.mark.parametrize(("order", "index"), [("rm", -1), ("mm", 0)])
def test_a_chain_in_the_wrong_order_is_refused(
    program: Program, site: Issued, middle: Issued, root_ca: Issued, order: str, index: int
) -> None:
    chain = "".join({"r": root_ca, "m": middle}[letter].body for letter in order)
    with pytest.raises(Refused, match=f"invalid certificate is: {index}"):
        upload(program, site, CertificateChain=chain)


@pytest.mark.parametrize(("first_day", "last_day"), [(-9, -1), (1, 9)])
def test_it_must_be_valid_now(program: Program, first_day: int, last_day: int) -> None:
    with pytest.raises(Refused, match="400 MalformedCertificate"):
        upload(program, issue("past or future", first_day=first_day, last_day=last_day))


def test_a_name_is_taken_in_any_case(program: Program, site: Issued) -> None:
    upload(program, site)
    with pytest.raises(Refused, match="409 EntityAlreadyExists: The Server Certificate with name WWW already exists."):
        upload(program, site, name="WWW")


def test_the_quota_holds(program: Program, site: Issued, acme: Account) -> None:
    acme.quota_overrides = {"server_certificates": 1}
    acme.save()
    upload(program, site)
    with pytest.raises(Refused, match="Cannot exceed quota for ServerCertificatesPerAccount: 1"):
        upload(program, site, name="more")


def test_it_is_renamed_by_who_may_on_both_names(
    program: Program, program_of: ProgramOf, site: Issued, bob: User
) -> None:
    upload(program, site)
    arn = "arn:aws:iam::111122223333:server-certificate/"
    allow(bob, "iam:UpdateServerCertificate", [f"{arn}www", f"{arn}shop/www"])
    his, www = program_of(bob), {"ServerCertificateName": "www"}
    assert refusal(his, "UpdateServerCertificate", NewServerCertificateName="w3", **www) == (403, "AccessDenied")
    his.iam("UpdateServerCertificate", NewPath="/shop/", **www)
    listed = program.iam("ListServerCertificates", PathPrefix="/shop/")["ServerCertificateMetadataList"]
    assert [row["Arn"] for row in listed] == [f"{arn}shop/www"]
    row = ServerCertificate.objects.get()
    assert box().open(row.private_key_encrypted, row.sealed_row) == site.private_key


def test_tags_come_go_and_decide(program: Program, program_of: ProgramOf, site: Issued, bob: User) -> None:
    upload(program, site)
    www = {"ServerCertificateName": "www"}
    allow(bob, "iam:ListServerCertificateTags", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}})
    his = program_of(bob)
    assert refusal(his, "ListServerCertificateTags", **www) == (403, "AccessDenied")
    program.iam("TagServerCertificate", Tags=[{"Key": "team", "Value": "red"}], **www)
    assert his.iam("ListServerCertificateTags", **www)["Tags"] == [{"Key": "team", "Value": "red"}]
    program.iam("UntagServerCertificate", TagKeys=["team"], **www)
    assert program.iam("ListServerCertificateTags", **www)["Tags"] == []


def test_it_is_deleted_with_its_key(program: Program, site: Issued) -> None:
    upload(program, site)
    program.iam("DeleteServerCertificate", ServerCertificateName="www")
    assert not ServerCertificate.objects.exists()
    assert refusal(program, "DeleteServerCertificate", ServerCertificateName="www") == (404, "NoSuchEntity")
    assert refusal(program, "GetServerCertificate", ServerCertificateName="www") == (404, "NoSuchEntity")
