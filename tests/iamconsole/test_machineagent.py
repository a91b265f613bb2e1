"""The program on a machine beside a running console: joining, keeping credentials, losing them; and real SDKs."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
import time_machine
from botocore.session import Session

from accounts.models import Account
from audit import clock
from iamconsole.agent.console import BadAddress, Console
from iamconsole.agent.keeper import Keeper
from iamconsole.agent.metadata import CONTAINER_PATH, Metadata
from iamconsole.agent.program import CannotStart, run
from iamconsole.agent.server import MetadataServer
from iamconsole.agent.state import Damaged, StateFolder, Unsafe
from identities.models import InstanceProfile, Machine
from identities.services.instance_profiles import remove_role_from_instance_profile
from identities.services.machines import create_machine_join_token, remove_machine, update_machine
from identities.services.role_sessions import revoke_sessions
from tests.api.machines import profile_of, registered
from tests.api.test_javascript_sdk import CLIENTS
from tests.api.test_javascript_sdk import READY as HAS_NODE
from tests.cast import ACME, root_of
from tests.rig.programs import CONFIG, Programs
from tests.rig.served import MANAGE

NOWHERE = Console.at("http://127.0.0.1:1")


@dataclass(slots=True)
class Site:
    """A machine with its program, in this process."""

    account: Account
    state: StateFolder
    console: Console
    machine: Machine
    keeper: Keeper

    def next_look(self) -> Any:
        """As if the pause until the next check were over."""
        self.keeper._next_check = 0.0
        return self.keeper.look()

    def restarted(self, token: str = "") -> None:
        self.keeper = Keeper(self.state, self.console, token)


@pytest.fixture
def profile(acme: Account, programs: Programs) -> InstanceProfile:
    return profile_of(acme)[0]


@pytest.fixture
def site(tmp_path: Path, acme: Account, profile: InstanceProfile, programs: Programs) -> Site:
    machine, token = registered(acme, profile=profile)
    state, console = StateFolder(tmp_path / "state"), Console.at(programs.endpoint)
    return Site(acme, state, console, machine, Keeper(state, console, token))


def test_it_joins_and_holds_the_roles_credentials(site: Site) -> None:
    look = site.keeper.look()
    assert look.identity and look.held
    assert (look.identity.machine_id, look.identity.account_id) == (site.machine.machine_id, ACME)
    assert (look.held.role_name, look.held.access_key_id[:4]) == ("web", "ASIA")


@pytest.mark.bar(79)
def test_it_keeps_its_key_for_itself_and_credentials_nowhere(site: Site) -> None:
    held = site.keeper.look().held
    site.state.container_token()
    files = sorted(site.state.path.iterdir())
    assert [file.name for file in files] == ["container-token", "machine.json"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert site.state.path.stat().st_mode & 0o777 == 0o700
    text = "".join(file.read_text() for file in files)
    assert held and held.token not in text and held.secret_access_key not in text
    identity = site.state.identity()
    assert identity and identity.key_text not in repr(identity)


@pytest.mark.parametrize("name", ["", "machine.json", "container-token"])
def test_it_refuses_a_state_that_others_can_read(site: Site, name: str) -> None:
    site.keeper.look()
    site.state.container_token()
    (site.state.path / name).chmod(0o750)
    with pytest.raises(Unsafe, match="chmod"):
        folder = StateFolder(site.state.path)
        folder.identity()
        folder.container_token()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key_text": 7}', '{"key_text": "x"}', '{"key_text": "eA=="}', "{}"])
def test_it_says_which_file_is_damaged(tmp_path: Path, text: str) -> None:
    state = StateFolder(tmp_path / "state")
    (state.path / "machine.json").write_text(text)
    (state.path / "machine.json").chmod(0o600)
    with pytest.raises(Damaged, match=r"machine\.json is damaged"):
        state.identity()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"console": "https://iam.example.com:99999"}, "99999 is not the address"),
        ({"console": "https://[::1"}, "is not the address"),
        ({"join_token_file": "token"}, "no text"),
        ({"join_token_file": "missing"}, "No such file"),
        ({"listen": "0.0.0.0:0"}, "loopback only"),
    ],
)
def test_it_says_in_a_sentence_why_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("token").write_bytes(b"\xbc\xff")
    usual = {"console": "https://iam.example.com", "join_token_file": "", "listen": "127.0.0.1:0", "ca_file": ""}
    options = {"state": Path("state"), "region": "x", "allow_http": False, "only_container": False, **usual, **given}
    with pytest.raises(CannotStart, match=problem):
        run(options)


def test_it_is_the_same_machine_after_a_restart(site: Site) -> None:
    first = site.keeper.look()
    site.restarted()
    second = site.next_look()
    assert second.identity == first.identity and first.held and second.held
    assert second.held.access_key_id != first.held.access_key_id


def test_it_goes_on_with_what_is_good_while_the_console_is_away(site: Site) -> None:
    held = site.keeper.look().held
    site.keeper._console = NOWHERE
    assert site.next_look().held == held
    with time_machine.travel(clock.now() + timedelta(seconds=3599)):
        assert site.next_look().held == held
    with time_machine.travel(clock.now() + timedelta(seconds=3601)):
        look = site.next_look()
        assert (look.held, look.code) == (None, "Unreachable")
    site.keeper._console = site.console
    assert site.next_look().held


def test_its_pauses_grow_and_end_when_the_console_is_back(site: Site) -> None:
    site.keeper.look()
    site.keeper._console = NOWHERE
    pauses = []
    for _ in range(8):
        site.next_look()
        pauses.append(site.keeper._next_check - time.monotonic())
    wanted = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(0.85 * least <= pause <= 1.11 * least for pause, least in zip(pauses, wanted, strict=True)), pauses
    # Within a pause nobody is asked, however often applications ask, and also where renewal is due.
    failures = site.keeper._failures
    with time_machine.travel(clock.now() + timedelta(seconds=3000)):
        assert site.keeper.look().held and site.keeper._failures == failures
    site.keeper._console = site.console
    assert site.next_look().held and site.keeper._failures == 0


def test_it_renews_when_a_third_of_the_time_is_left(site: Site) -> None:
    first = site.keeper.look().held
    with time_machine.travel(clock.now() + timedelta(seconds=2390)):
        assert site.next_look().held == first
    with time_machine.travel(clock.now() + timedelta(seconds=2410)):
        second = site.keeper.look().held
        assert first and second and second.access_key_id != first.access_key_id


@pytest.mark.bar(90)
def test_removing_the_machine_ends_what_it_holds(site: Site) -> None:
    site.keeper.look()
    remove_machine(by=root_of(site.account), machine=site.machine)
    look = site.next_look()
    assert (look.held, look.code) == (None, "InvalidMachineProof")


@pytest.mark.bar(90)
def test_it_has_others_when_the_roles_sessions_were_revoked(site: Site, profile: InstanceProfile) -> None:
    first = site.keeper.look().held
    assert profile.role and site.next_look().held == first
    with time_machine.travel(clock.now() + timedelta(seconds=2)):
        revoke_sessions(by=root_of(site.account), role=profile.role)
    with time_machine.travel(clock.now() + timedelta(seconds=4)):
        second = site.next_look().held
        assert first and second and second.access_key_id != first.access_key_id
        assert site.next_look().held == second


def test_it_follows_the_profile(site: Site, profile: InstanceProfile) -> None:
    site.keeper.look()
    other, _ = profile_of(site.account, "batch")
    update_machine(by=root_of(site.account), machine=site.machine, name="build-1", profile=other)
    look = site.next_look()
    assert look.held and look.held.role_name == "batch"
    assert other.role
    remove_role_from_instance_profile(by=root_of(site.account), profile=other, role=other.role)
    look = site.next_look()
    assert (look.held, look.code) == (None, "NoRole")


def test_a_new_join_token_makes_a_new_key(site: Site) -> None:
    first = site.keeper.look()
    token = create_machine_join_token(by=root_of(site.account), machine=site.machine)
    assert site.next_look().code == "InvalidMachineProof"
    site.restarted(token)
    second = site.next_look()
    assert first.identity and second.identity and second.held
    assert second.identity.key_text != first.identity.key_text
    assert second.identity.machine_id == first.identity.machine_id
    # The token stays where it was given; it is no reason to join again.
    site.restarted(token)
    assert site.next_look().identity == second.identity


def test_a_wrong_token_does_not_stop_a_machine_that_works(site: Site) -> None:
    first = site.keeper.look()
    site.restarted("no-such-token")
    look = site.next_look()
    assert look.held and look.identity == first.identity


def test_without_a_token_it_says_what_is_missing(tmp_path: Path, programs: Programs) -> None:
    look = Keeper(StateFolder(tmp_path / "new"), Console.at(programs.endpoint)).look()
    assert (look.held, look.code) == (None, "NotJoined") and "give it a join token" in look.message


def test_an_answer_that_was_lost_is_asked_for_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: object) -> None:
        raise OSError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(StateFolder, "joined", full)
        assert site.keeper.look().code == "Unreachable"
    assert Machine.objects.get().has_joined
    assert site.next_look().held


def test_it_signs_later_than_before_when_the_clock_is_set_back(site: Site) -> None:
    site.keeper.look()
    with time_machine.travel(clock.now() - timedelta(seconds=60)):
        assert site.next_look().held and site.next_look().code == ""


@pytest.mark.parametrize(
    "address",
    ["http://iam.example.com", "ftp://127.0.0.1", "iam.example.com", "https://iam.example.com/console", "https://"],
)
def test_it_asks_no_console_at_an_address_without_encryption(address: str) -> None:
    with pytest.raises(BadAddress):
        Console.at(address)
    assert Console.at("http://iam.example.com", allow_http=True).tls is None
    assert Console.at("https://iam.example.com").tls


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs) -> pytest.MonkeyPatch:
    """An environment in which an SDK finds nothing but what the program on the machine gives it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", programs.endpoint)
    return monkeypatch


def by_imds(application: pytest.MonkeyPatch, url: str) -> None:
    application.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
    application.setenv("AWS_EC2_METADATA_V1_DISABLED", "true")


def by_container(application: pytest.MonkeyPatch, url: str, folder: Path) -> None:
    application.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url + CONTAINER_PATH)
    application.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(folder / "container-token"))


def caller(session: Session) -> str:
    return boto3.Session(botocore_session=session).client("sts", config=CONFIG).get_caller_identity()["Arn"]


@contextmanager
def serving(site: Site) -> Iterator[str]:
    metadata = Metadata(site.keeper.look, site.state.container_token(), "eu-west-1")
    with MetadataServer(("127.0.0.1", 0), metadata) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["imds", "container"])
def test_boto3_refreshes_what_it_got(site: Site, application: pytest.MonkeyPatch, way: str) -> None:
    with serving(site) as url:
        by_imds(application, url) if way == "imds" else by_container(application, url, site.state.path)
        session = Session()
        assert caller(session) == f"arn:aws:sts::{ACME}:assumed-role/web/{site.machine.machine_id}"
        credentials = session.get_credentials()
        assert credentials
        first = credentials.get_frozen_credentials().access_key
        with time_machine.travel(clock.now() + timedelta(minutes=52)):
            assert caller(session).endswith(site.machine.machine_id)
            assert credentials.get_frozen_credentials().access_key != first


@contextmanager
def machineagent(programs: Programs, folder: Path, token: str) -> Iterator[str]:
    """`manage.py machineagent`, as on a machine: no database, no keys of the console, the token on standard input."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DATABASE_URL": "postgres://no:no@127.0.0.1:1/no"}
    command = [sys.executable, str(MANAGE), "machineagent", "--console", programs.endpoint, "--state", str(folder)]
    command += ["--listen", "127.0.0.1:0", "--join-token-file", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{token}\n")
        process.stdin.flush()
        try:
            lines = [process.stdout.readline().strip() for _ in range(5)]
            yield lines[1].partition("=")[2]
        finally:
            process.terminate()
    assert process.returncode == 0


def test_it_runs_where_the_console_is_not_installed(tmp_path: Path) -> None:
    """As docs/machines.md says: these files, Python and `cryptography` are enough."""
    for name in ("iamconsole/__init__.py", "iamconsole/agent", "identities/__init__.py", "identities/machine_proof.py"):
        source, copied = MANAGE.parent / name, tmp_path / name
        copied.parent.mkdir(exist_ok=True)
        shutil.copytree(source, copied) if source.is_dir() else shutil.copy(source, copied)
    words = ["--console", "http://127.0.0.1:1", "--state", str(tmp_path / "state"), "--listen", "0.0.0.0:9911"]
    command = [sys.executable, "-X", "importtime", "-m", "iamconsole.agent", *words]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "credentials are given on loopback only" in done.stderr
    assert "iamconsole.agent.keeper" in done.stderr and "django" not in done.stderr


@pytest.mark.skipif(not HAS_NODE, reason="Node or its packages are missing: see `make test`.")
def test_sdks_find_credentials_by_the_running_program_until_the_machine_is_removed(
    tmp_path: Path, acme: Account, profile: InstanceProfile, programs: Programs, application: pytest.MonkeyPatch
) -> None:
    machine, token = registered(acme, profile=profile)
    arn, folder = f"arn:aws:sts::{ACME}:assumed-role/web/{machine.machine_id}", tmp_path / "state"
    with machineagent(programs, folder, token) as url:
        by_imds(application, url)
        session = Session()
        assert caller(session) == arn
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull}
        command = ["node", str(CLIENTS / "machine.mjs"), programs.endpoint, url, str(folder / "container-token")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        seen = json.loads(done.stdout)
        credentials = session.get_credentials()
        assert credentials
        assert seen["imds"] == seen["container"] == [arn, credentials.access_key]
        remove_machine(by=root_of(acme), machine=machine)
        with pytest.raises(Exception, match="InvalidClientTokenId"):
            caller(session)
