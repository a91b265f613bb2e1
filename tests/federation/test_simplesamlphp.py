"""SimpleSAMLphp, as Debian has it, in front of ours: its own metadata, and sign-ins that begin here and there."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from django.test import Client

from accounts.models import Account
from federation import sp
from federation.models import SAMLProvider
from federation.services.saml_providers import create_saml_provider, set_use
from identities.models import Role
from tests.access.test_saml_sign_in import START, is_in, trusting
from tests.cast import ACME, allow, make_role, root_of
from tests.federation.companies import certificate_pem, pem
from tests.federation.forge import ATTRIBUTES
from tests.federation.visiting import SentBack, visit
from tests.rig.served import answers, free_port

PHP, PROGRAM = shutil.which("php"), Path("/usr/share/simplesamlphp/www")
SETTINGS = Path(__file__).resolve().parents[1] / "clients" / "simplesamlphp"
pytestmark = pytest.mark.skipif(
    PHP is None or not PROGRAM.exists(),
    reason="SimpleSAMLphp is missing: install Debian's packages simplesamlphp, php-cli, php-xml and php-mbstring.",
)
ROLE_ARN, PROVIDER_ARN = f"arn:aws:iam::{ACME}:role/ops", f"arn:aws:iam::{ACME}:saml-provider/corp"
JANE = {
    "uid": ["jane"],
    f"{ATTRIBUTES}Role": [f"{ROLE_ARN},{PROVIDER_ARN}"],
    f"{ATTRIBUTES}RoleSessionName": ["jane@corp.example"],
}
TYPED = {"username": "jane", "password": "quince"}


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    """Where it runs, with our own metadata loaded and one person who may be `ops`."""
    here, base = tmp_path / "saml", f"http://127.0.0.1:{free_port()}"
    shutil.copytree(SETTINGS, here)
    for name in ("cert", "data", "log", "tmp"):
        (here / name).mkdir()
    (here / "cert/key.pem").write_text(pem("simplesamlphp"))
    (here / "cert/cert.pem").write_text(certificate_pem("simplesamlphp"))
    (here / "metadata/sp.xml").write_bytes(sp.metadata())
    facts = {"HERE": str(here), "BASE": base, "SIMPLESAMLPHP_CONFIG_DIR": str(here / "config")}
    environment = {"PATH": os.environ["PATH"], "ATTRIBUTES": json.dumps(JANE), **facts}
    with (here / "log/php").open("wb") as log:
        command = [str(PHP), "-S", base.removeprefix("http://"), "-t", str(PROGRAM)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not answers(base, "/saml2/idp/metadata.php"):
            assert process.poll() is None and time.monotonic() < deadline, (here / "log/php").read_text()
            time.sleep(0.05)
        yield base
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def corp(acme: Account, base: str) -> SAMLProvider:
    with urlopen(f"{base}/saml2/idp/metadata.php", timeout=60) as reply:  # noqa: S310 - the provider started here
        return create_saml_provider(by=root_of(acme), name="corp", metadata=reply.read().decode())


@pytest.fixture
def ops(acme: Account, corp: SAMLProvider) -> Role:
    role = make_role(acme, "ops", trusting(corp))
    allow(role, "iam:ListUsers")
    assert (role.arn, corp.arn) == (ROLE_ARN, PROVIDER_ARN)
    return role


def come_back(client: Client, sent: SentBack) -> int:
    """With the form that the provider's page sends by itself, and the click on our page."""
    assert sent.address == sp.acs_url()
    assert "Go on to the console" in client.post("/saml", sent.form).content.decode()
    return client.post("/saml/sign-in/", sent.form).status_code


@pytest.mark.bar(101, 102)
def test_a_sign_in_that_begins_here(client: Client, corp: SAMLProvider, ops: Role) -> None:
    sent = visit(client.get(START).headers["Location"], sp.acs_url(), TYPED)
    assert come_back(client, sent) == 302 and is_in(client)
    assert "ops / jane@corp.example" in client.get("/dashboard/").content.decode()
    assert come_back(Client(), sent) == 403


@pytest.mark.bar(101)
def test_a_sign_in_that_begins_there(client: Client, base: str, acme: Account, corp: SAMLProvider, ops: Role) -> None:
    words = urlencode({"spentityid": sp.entity_id(), "RelayState": "/identities/users/"})
    sent = visit(f"{base}/saml2/idp/SSOService.php?{words}", sp.acs_url(), TYPED)
    assert come_back(client, sent) == 403
    set_use(by=root_of(acme), provider=corp, enabled=True, starts_sign_in=True)
    assert come_back(client, sent) == 302 and is_in(client)
