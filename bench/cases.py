"""Generated policies and requests for the bench of the engine, always the same.

Three sizes, mixed services, wildcards in actions and resources, 30 % of the statements with conditions; half of the
requests are near-misses.
"""

import json
import random
from dataclasses import dataclass

from policies.engine import AttachedPolicy, PolicySet, Request, RequestPrincipal, Statement, parse

SEED = 20_261_124
SIZES = ((1, 1), (10, 5), (10, 50))
REQUESTS = 400
ACCOUNT = "111122223333"
SERVICES = ("iam", "s3", "ec2", "sqs", "sns", "dynamodb", "lambda", "kms", "logs", "secretsmanager")
VERBS = ("Get", "List", "Create", "Delete", "Update", "Put", "Tag", "Describe")
NOUNS = ("User", "Object", "Instance", "Queue", "Topic", "Table", "Function", "Key")
TEAMS = ("red", "green", "blue")


@dataclass(frozen=True)
class Case:
    """A policy set with the requests that are asked of it."""

    documents: tuple[str, ...]
    policies: PolicySet
    requests: tuple[Request, ...]

    @property
    def statements(self) -> list[Statement]:
        return [statement for attached in self.policies.identity for statement in attached.document.statements]


def make_case(policies: int, statements: int, seed: int = SEED) -> Case:
    chance = random.Random(seed + policies * statements)  # noqa: S311 - reproducible inputs, no secrets
    documents = [[_statement(chance) for _ in range(statements)] for _ in range(policies)]
    texts = tuple(json.dumps({"Version": "2012-10-17", "Statement": each}) for each in documents)
    attached = tuple(
        AttachedPolicy(f"arn:aws:iam::{ACCOUNT}:policy/p{number}", f"arn:aws:iam::{ACCOUNT}:user/alice", parse(text))
        for number, text in enumerate(texts)
    )
    everything = [statement for document in documents for statement in document]
    requests = tuple(_request(chance, chance.choice(everything)) for _ in range(REQUESTS))
    return Case(texts, PolicySet(identity=attached), requests)


def _statement(chance: random.Random) -> dict[str, object]:
    service = chance.choice(SERVICES)
    statement: dict[str, object] = {
        "Effect": "Deny" if chance.random() < 0.05 else "Allow",
        "Action": [_action(chance, service) for _ in range(chance.randint(1, 4))],
        "Resource": "*"
        if chance.random() < 0.01
        else [_resource(chance, service) for _ in range(chance.randint(1, 3))],
    }
    if chance.random() < 0.3:
        statement["Condition"] = _condition(chance)
    return statement


def _action(chance: random.Random, service: str) -> str:
    if chance.random() < 0.3:
        return chance.choice((f"{service}:{chance.choice(VERBS)}*", f"{service}:*{chance.choice(NOUNS)}"))
    return f"{service}:{chance.choice(VERBS)}{chance.choice(NOUNS)}"


def _resource(chance: random.Random, service: str) -> str:
    path = "user/" if service == "iam" else "thing/"
    name = f"{path}{chance.choice(TEAMS)}/{chance.randint(1, 50)}"
    shape = chance.random()
    if shape < 0.3:
        name = f"{path}{chance.choice(TEAMS)}/*"
    elif shape < 0.4:
        name = f"{path}*/{chance.randint(1, 50)}"
    elif shape < 0.5:
        name = f"{path}${{aws:username}}/*"
    return f"arn:aws:{service}::{ACCOUNT}:{name}"


def _condition(chance: random.Random) -> dict[str, object]:
    conditions: tuple[dict[str, object], ...] = (
        {"StringEquals": {"aws:ResourceTag/team": chance.choice(TEAMS)}},
        {"StringLike": {"aws:PrincipalTag/team": [f"{chance.choice(TEAMS)[:2]}*", "ops-*"]}},
        {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
        {"ForAnyValue:StringEquals": {"aws:TagKeys": ["team", "owner"]}},
    )
    return chance.choice(conditions)


def _request(chance: random.Random, statement: dict[str, object]) -> Request:
    """A request that a statement speaks about; half of them miss by the resource or the action."""
    actions, resources = statement["Action"], statement["Resource"]
    action = chance.choice(actions if isinstance(actions, list) else [actions])
    resource = chance.choice(resources if isinstance(resources, list) else [f"arn:aws:s3::{ACCOUNT}:thing/any/1"])
    action = action.replace(":*", ":Get*").replace("*", chance.choice(NOUNS))
    resource = resource.replace("${aws:username}", "alice").replace("*", chance.choice(TEAMS))
    if chance.random() < 0.5:
        resource = resource[:-1] + "!" if chance.random() < 0.7 else resource
        action = action[:-1] + "x" if resource[-1] != "!" else action
    context = {
        "aws:username": ("alice",),
        "aws:ResourceTag/team": (chance.choice(TEAMS),),
        "aws:PrincipalTag/team": (chance.choice(TEAMS),),
        "aws:SourceIp": (chance.choice(("192.0.2.7", "198.51.100.1")),),
        "aws:MultiFactorAuthPresent": (chance.choice(("true", "false")),),
        "aws:MultiFactorAuthAge": (str(chance.randint(0, 7200)),),
        "aws:CurrentTime": ("2026-06-01T12:00:00Z",),
        "aws:TagKeys": (chance.choice(("team", "cost")), "stage"),
    }
    principal = RequestPrincipal(f"arn:aws:iam::{ACCOUNT}:user/alice", ACCOUNT, "user", "AIDAEXAMPLE")
    return Request(action, resource, context, principal, ACCOUNT)
