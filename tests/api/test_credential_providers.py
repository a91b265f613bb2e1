"""How SDKs get temporary credentials by themselves: profiles that assume a role, refreshing, and processes."""

import json
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.session import Session

from access.assume_role import assume_role
from access.gate import PrincipalGate
from access.role_credentials import forms_of
from access.temporary_credentials import SessionRequest
from accounts.models import Account
from audit.models import Event
from federation.services.oidc_providers import create_oidc_provider
from identities.models import Role, User
from tests.api.conftest import SECRET, key_of
from tests.api.test_assume_role import WITH_MFA
from tests.api.test_federated_roles import federated
from tests.cast import allow, make_role, principal_of, root_of, trusting
from tests.federation.issuers import Issuer
from tests.identities.devices import codes, device_of
from tests.rig.programs import CONFIG, REGION, Credentials, Programs


@pytest.fixture
def bobs(bob: User) -> Credentials:
    return Credentials(key_of(bob).access_key_id, SECRET)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bobs: Credentials, programs: Programs) -> Path:
    """A home with Bob's key as the source profile, and nothing else that credentials could come from."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    keys = f"[bob]\naws_access_key_id={bobs.access_key_id}\naws_secret_access_key={bobs.secret_access_key}\n"
    (tmp_path / "credentials").write_text(keys)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", programs.endpoint)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def profile(home: Path, text: str) -> Session:
    """A session of botocore with a profile `deploy` of this text."""
    (home / "config").write_text(f"[profile deploy]\nregion={REGION}\n{textwrap.dedent(text)}")
    return Session(profile="deploy")


def who_is(session: Session) -> str:
    sts = boto3.Session(botocore_session=session).client("sts", config=CONFIG)
    return sts.get_caller_identity()["Arn"]


def role_for(acme: Account, bob: User, **more: Any) -> Role:
    role = make_role(acme, "deploy", trusting(bob.arn, **more))
    allow(role, "iam:ListUsers")
    return role


def test_a_profile_assumes_a_role(home: Path, acme: Account, bob: User) -> None:
    role = role_for(acme, bob, Condition={"StringEquals": {"sts:ExternalId": "blue-7"}})
    text = f"role_arn={role.arn}\nsource_profile=bob\nexternal_id=blue-7\nrole_session_name=ci\nduration_seconds=900\n"
    session = profile(home, text)
    assert who_is(session) == f"arn:aws:sts::{acme.id}:assumed-role/deploy/ci"
    iam = boto3.Session(botocore_session=session).client("iam", config=CONFIG)
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["bob"]


def test_a_profile_with_mfa_asks_for_a_code(
    home: Path, acme: Account, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, (device, seed) = role_for(acme, bob, **WITH_MFA), device_of(bob)
    text = f"role_arn={role.arn}\nsource_profile=bob\nmfa_serial={device.serial_number}\nrole_session_name=ci\n"
    session = profile(home, text)
    provider = session.get_component("credential_provider").get_provider("assume-role")
    monkeypatch.setattr(provider, "_prompter", lambda prompt: codes(seed)[1])
    assert who_is(session).endswith(":assumed-role/deploy/ci")


def test_credentials_are_refreshed_before_they_end(home: Path, acme: Account, bob: User) -> None:
    """botocore asks for new ones in the last quarter of an hour: at once for a session as short as that."""
    role = role_for(acme, bob)
    for seconds, refreshes in ((3600, False), (900, True)):
        session = profile(home, f"role_arn={role.arn}\nsource_profile=bob\nduration_seconds={seconds}\n")
        credentials = session.get_credentials()
        assert credentials is not None
        keys = [credentials.get_frozen_credentials().access_key for _ in range(2)]
        assert (keys[0] != keys[1]) is refreshes
        assert "assumed-role/deploy" in who_is(session)


def test_a_process_hands_over_temporary_credentials_and_fresh_ones(
    home: Path, acme: Account, bob: User, bobs: Credentials, programs: Programs
) -> None:
    """Run again in the last quarter of an hour: at once for a session as short as that."""
    role = role_for(acme, bob)
    for number in range(3):
        made = programs.sts(bobs).assume_role(RoleArn=role.arn, RoleSessionName="ci", DurationSeconds=900)
        said = {"Version": 1, **made["Credentials"], "Expiration": made["Credentials"]["Expiration"].isoformat()}
        (home / f"said-{number}.json").write_text(json.dumps(said))
    script = home / "process.py"
    script.write_text(f"import pathlib\nnext_one = min(pathlib.Path({str(home)!r}).glob('said-*.json'))\n")
    with script.open("a") as more:
        more.write("print(next_one.read_text())\nnext_one.unlink()\n")
    session = profile(home, f"credential_process={sys.executable} {script}\n")
    credentials = session.get_credentials()
    assert credentials is not None
    first = credentials.get_frozen_credentials().access_key
    assert who_is(session).endswith("/deploy/ci")
    assert credentials.get_frozen_credentials().access_key != first


def test_a_profile_takes_a_token_from_a_file_and_a_fresh_one_later(
    home: Path,
    acme: Account,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = create_oidc_provider(by=root_of(acme), url=issuer.url, client_ids=["app"])
    role = make_role(acme, "deploy", federated(provider.arn, "AssumeRoleWithWebIdentity"))
    (home / "token").write_text(issuer.token(sub="first"))
    session = profile(home, f"role_arn={role.arn}\nweb_identity_token_file={home / 'token'}\n")
    credentials = session.get_credentials()
    assert isinstance(credentials, RefreshableCredentials)
    keys = [credentials.get_frozen_credentials().access_key for _ in range(2)]
    (home / "token").write_text(issuer.token(sub="second"))
    later = datetime.now(UTC) + timedelta(minutes=51)
    monkeypatch.setattr("botocore.credentials._local_now", lambda: later)
    monkeypatch.setattr(credentials, "_time_fetcher", lambda: later)
    keys.append(credentials.get_frozen_credentials().access_key)
    assert keys[0] == keys[1] != keys[2] and "assumed-role/deploy" in who_is(session)
    vouched = Event.objects.filter(action="sts:AssumeRoleWithWebIdentity").order_by("id")
    assert [event.principal_name for event in vouched][:2] == ["first", "second"]


def test_static_keys_lasting_and_temporary(home: Path, acme: Account, bob: User, bobs: Credentials) -> None:
    """The page “Temporary credentials” gives the second kind as a profile."""
    assert who_is(Session(profile="bob")) == bob.arn
    made = assume_role(
        gate=PrincipalGate(principal_of(bob)), role_arn=role_for(acme, bob).arn, requested=SessionRequest("ci")
    )
    _, of_a_file, _ = forms_of(made.credentials, role_name="deploy", endpoint="http://not.used.example")
    (home / "credentials").write_text(of_a_file.text.rpartition("\n")[0])
    assert who_is(Session(profile="deploy")).endswith(":assumed-role/deploy/ci")


def test_the_command_line_assumes_a_role_and_uses_it(
    programs: Programs, bobs: Credentials, acme: Account, bob: User
) -> None:
    role = role_for(acme, bob)
    words = ("sts", "assume-role", "--role-arn", role.arn, "--role-session-name", "ci")
    made = programs.aws(bobs, *words)["Credentials"]
    session = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert [user["UserName"] for user in programs.aws(session, "iam", "list-users")["Users"]] == ["bob"]
