"""Everything of IAM that Ansible manages, against the running console: `make test-clients` brings it into .clients."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from accounts.models import Account
from identities.models import Group, Role, User
from tests.api.conftest import SECRET, key_of
from tests.federation.companies import metadata
from tests.identities.certificates import issue
from tests.rig.programs import Programs

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(os.environ.get("ANSIBLE_PLAYBOOK", ROOT / ".clients" / "bin" / "ansible-playbook"))
CERTIFICATE = issue("front.example.com")
pytestmark = pytest.mark.skipif(not PLAYBOOK.exists(), reason="There is no Ansible: `make test-clients` brings it.")


def play(programs: Programs, account: Account, key_id: str, state: str, home: Path) -> int:
    """Run the playbook; how many tasks changed something."""
    facts = {"endpoint": programs.endpoint, "access_key": key_id, "secret_key": SECRET}
    facts |= {"account": account.id, "state": state, "metadata": metadata()}
    # As the file lookup reads them.
    facts |= {"certificate": CERTIFICATE.body.strip(), "private_key": CERTIFICATE.private_key.strip()}
    environment = {
        "PATH": f"{PLAYBOOK.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_PYTHON_INTERPRETER": str(PLAYBOOK.with_name("python")),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    words = [str(PLAYBOOK), "-i", "localhost,", str(ROOT / "tests/clients/playbook.yml"), "-e", json.dumps(facts)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return int(json.loads(done.stdout[done.stdout.index("{") :])["stats"]["localhost"]["changed"])


def test_the_second_run_changes_nothing(programs: Programs, acme: Account, alice: User, tmp_path: Path) -> None:
    key_id = key_of(alice).access_key_id
    assert play(programs, acme, key_id, "present", tmp_path) == 9
    assert User.objects.get(name="carol").memberships.get().group.name == "developers"
    assert play(programs, acme, key_id, "present", tmp_path) == 0
    assert play(programs, acme, key_id, "absent", tmp_path) >= 8
    assert not (Group.objects.exists() or Role.objects.exists() or User.objects.filter(name="carol").exists())
