"""Programs that call the console as a customer's do: boto3 clients and the AWS command line."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

AWS = Path(sys.executable).with_name("aws")
REGION = "us-east-1"

# One try: a refusal is an answer to look at, not a reason to ask again.
CONFIG = Config(region_name=REGION, retries={"total_max_attempts": 1}, connect_timeout=60, read_timeout=60)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a program is given: a key, its secret and, for temporary credentials, the session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def environment(self) -> dict[str, str]:
        token = {"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {}
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            **token,
        }

    def session(self) -> boto3.Session:
        return boto3.Session(self.access_key_id, self.secret_access_key, self.session_token or None, REGION)


class AwsFailed(AssertionError):
    """The AWS command line ended with an error; its text is what a person would read."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Everything a program can be, pointed at one console."""

    endpoint: str

    def iam(self, credentials: Credentials) -> "IAMClient":
        return credentials.session().client("iam", endpoint_url=self.endpoint, config=CONFIG)

    def sts(self, credentials: Credentials) -> "STSClient":
        return credentials.session().client("sts", endpoint_url=self.endpoint, config=CONFIG)

    def run_aws(self, credentials: Credentials, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `aws …` with nothing but these credentials: no profile, no instance, no configuration of this machine."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            **credentials.environment(),
        }
        command = [sys.executable, str(AWS), *words, "--output", "json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def node(self, credentials: Credentials, script: Path, *words: str) -> Any:
        """Run a program of the AWS SDK for JavaScript, which is told where the console is, and read what it prints."""
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, **credentials.environment()}
        command = ["node", str(script), self.endpoint, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    def aws(self, credentials: Credentials, *words: str) -> Any:
        """Run `aws …` and read its answer; None when it prints none. Raises `AwsFailed` with what it said."""
        done = self.run_aws(credentials, *words)
        if done.returncode:
            raise AwsFailed(done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else None
