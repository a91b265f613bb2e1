"""The server as operators run it, on PostgreSQL: its database connections go from thread to thread."""

import json
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.rig.served import answers, serve

pytestmark = pytest.mark.postgres
CALLERS = 12


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of its own beside that of the tests."""
    name = f"served_{uuid.uuid4().hex}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def life_of_a_user(iam: Any, number: int) -> None:
    user = {"UserName": f"user-{number}"}
    iam.create_user(**user, Tags=[{"Key": "team", "Value": "red"}])
    for _ in range(5):
        assert iam.get_user(**user)["User"]["Tags"] == [{"Key": "team", "Value": "red"}]
        assert user["UserName"] in {each["UserName"] for each in iam.list_users()["Users"]}
    iam.tag_user(**user, Tags=[{"Key": "team", "Value": "blue"}])
    assert iam.list_user_tags(**user)["Tags"] == [{"Key": "team", "Value": "blue"}]
    iam.delete_user(**user)


def won(iam: Any) -> bool:
    try:
        iam.create_user(UserName="same")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "EntityAlreadyExists"
        return False
    return True


@pytest.mark.parametrize("prepared_statements", ["1", "0"])
def test_many_programs_call_at_once(
    tmp_path: Path, static_root: Path, database_url: str, prepared_statements: str
) -> None:
    settings = {"DATABASE_URL": database_url, "DATABASE_PREPARED_STATEMENTS": prepared_statements, "WORKERS": "2"}
    with serve(tmp_path, static_root, **settings) as console:
        account = ("--name", "Acme", "--email", "root@acme.example", "--access-key", "--password-stdin", "--json")
        made = json.loads(console.manage("createaccount", *account, stdin="harbour lantern quilt 7731\n").stdout)
        iam = boto3.client(
            "iam",
            endpoint_url=console.url,
            region_name="us-east-1",
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            config=Config(max_pool_connections=CALLERS, retries={"total_max_attempts": 1}),
        )
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda number: life_of_a_user(iam, number), range(CALLERS)))
            assert sum(callers.map(lambda _: won(iam), range(CALLERS))) == 1
        assert [each["UserName"] for each in iam.list_users()["Users"]] == ["same"]
        assert answers(console.url, "/readyz") and answers(console.url, "/signin/")
        assert "Traceback" not in console.output()
