"""Explanations of decisions as one particular reader may see them.

Nobody learns from an explanation what they could not read otherwise. The text of a policy needs the permission to read
that policy, what was found of a resource (its path, its tags) the permission to see that resource; what a reader may
not see is counted and left out.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from access.advice import advice
from access.gate import TRUST
from access.policy_texts import Named, key_of, look_up
from audit.explanation import Explanation
from audit.http import Gate

EXPLAIN = "iamconsole:ExplainDecision"
MOST_LINES = 40
LONGEST_LINE = 160
NOT_SHOWN = ("(not shown)",)
_NEWLINE = re.compile(r"\r\n|\n|\r")
_ACTION_TO_SEE = {"user": "iam:GetUser", "group": "iam:GetGroup", "role": "iam:GetRole", "policy": "iam:GetPolicy"}
_TITLES = {
    "identity": "Policies of the user and its groups, or of the role",
    "boundary": "Permissions boundary",
    "session": "Session policy",
    "resource": "Policy of the resource",
    "trust": "Trust policy of the role",
    "service control": "Service control policies",
    "resource control": "Resource control policies",
    "endpoint": "Policy of the network endpoint",
}
_LACKING = {
    "identity": "no policy of the user, its groups or the role allows it.",
    "boundary": "the permissions boundary does not allow it.",
    "session": "the session policy does not allow it.",
    "resource": "the policy of the resource does not allow it.",
    "trust": "the trust policy of the role does not allow it.",
    "service control": "a level of service control policies does not allow it.",
    "resource control": "a level of resource control policies does not allow it.",
    "endpoint": "the policy of the network endpoint does not allow it.",
}
_VERDICTS = {
    "allows": ("A statement allows it", "bg-green-lt"),
    "denies": ("A statement denies it", "bg-red-lt"),
    "silent": ("No statement applies", "bg-yellow-lt"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a policy; the number is 0 where a statement is shown apart from its lines."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that decided, applied or nearly applied, in a policy that the reader may read; or only named."""

    policy: str
    source: str
    origin: str
    layer: str
    number: int
    sid: str
    effect: str
    lines: str
    decided: bool
    readable: bool
    quoted: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Miss:
    """What kept a statement from applying. `found` is None where the request has nothing to compare."""

    statement: Statement
    element: str
    operator: str
    key: str
    wanted: Sequence[str]
    found: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one kind of policy said. `badge` is the colour, which the words repeat."""

    title: str
    verdict: str
    badge: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An explanation for a page. `unread` counts near misses in policies that the reader may not read; those of the
    resource's own policy are not counted, for they would tell that the resource is there."""

    action: str
    resource: str
    outcome: str
    layer: str
    reason: str
    layers: Sequence[Layer]
    statements: Sequence[Statement]
    near: Sequence[Miss]
    unread: int
    left_off: int
    context: Sequence[tuple[str, Sequence[str]]]
    advice: Sequence[str]
    own: bool

    @property
    def allowed(self) -> bool:
        return self.outcome == "Allowed"

    @property
    def verdict(self) -> str:
        """The decision in a sentence."""
        if self.allowed:
            return "Allowed: this is the root user." if self.reason == "root user" else "Allowed."
        if self.outcome == "ExplicitlyDenied":
            return "Denied: a Deny statement applies, and a Deny beats every Allow."
        return f"Not allowed: {_LACKING[self.layer]}"


@dataclass(slots=True)
class Reader:
    """Somebody who reads explanations of one account. `texts` are documents (by digest) that the reader brought.

    What is told depends on the tags of what an explanation names: it has to be looked up before anything is asked here.
    """

    gate: Gate
    account_id: str
    texts: Mapping[str, str] = field(default_factory=dict)
    _allowed: dict[tuple[str, str], bool] = field(default_factory=dict)
    _named: Named = field(default_factory=Named)

    def sees(self, arn: str) -> bool:
        """Whether what was found of a resource of this account may be told."""
        kind, _, _ = arn.rpartition(":")[2].partition("/")
        action = _ACTION_TO_SEE.get(kind) if arn.startswith("arn:aws:iam::") else None
        return arn == "*" or (action is not None and self._may(action, arn))

    def reads(self, policy: Mapping[str, str]) -> bool:
        """Whether the text of a policy may be told."""
        if policy["digest"] in self.texts:
            return True
        if policy["source"].startswith("arn:"):
            return self._may("iam:GetPolicyVersion", policy["source"])
        if policy["source"] == TRUST:
            return self._may("iam:GetRole", policy["origin"])
        kind = policy["origin"].rpartition(":")[2].partition("/")[0]
        return bool(policy["digest"]) and self._may(f"iam:Get{kind.capitalize()}Policy", policy["origin"])

    def simulates(self, arn: str) -> bool:
        """Whether a decision about this user, or about a session of this role, may be explained at all."""
        return self._may("iam:SimulatePrincipalPolicy", arn)

    def text(self, policy: Mapping[str, str]) -> str | None:
        """The text as it was when it decided, of a policy that was read; None when it is gone."""
        digest = policy["digest"]
        return self.texts[digest] if digest in self.texts else self._named.texts.get(key_of(policy))

    def look_up(self, explanation: Explanation, principal_arn: str = "", trust_document: str = "") -> None:
        """Read everything that an explanation names, in one query; `sees`, `reads` and `text` then answer from it."""
        both = [explanation, explanation.get("unseen", {})]
        policies = [policy for each in both for policy in each.get("policies", ())]
        arns = {principal_arn, *(each.get("resource", "") for each in both)}
        arns.update(policy[part] for policy in policies for part in ("source", "origin"))
        wanted = [policy for policy in policies if policy["digest"] and policy["digest"] not in self.texts]
        self._named = look_up(self.account_id, wanted, arns, trust_document)

    def look_up_several(self, explanations: Iterable[Explanation], principal_arns: Iterable[str]) -> None:
        """The same for many at once, without the texts."""
        policies = (policy for each in explanations for policy in each["policies"])
        parts = (policy[part] for policy in policies for part in ("source", "origin"))
        self._named = look_up(self.account_id, (), {*principal_arns, *parts})

    def _may(self, action: str, arn: str) -> bool:
        if (action, arn) not in self._allowed:
            self._allowed[action, arn] = self.gate.may(action, arn, self._named.keys.get(arn)).allowed
        return self._allowed[action, arn]


def seen_by(reader: Reader, explanation: Explanation) -> Explanation:
    """The explanation without what was found of a resource that the reader may not see."""
    if "unseen" not in explanation or reader.sees(explanation["resource"]):
        return explanation
    return {**explanation["unseen"], **{part: explanation[part] for part in ("outcome", "layer", "reason")}}


def shown(explanation: Explanation, action: str, reader: Reader, *, principal_arn: str = "", own: bool = True) -> Shown:
    """What the reader may see of an explanation. `principal_arn` is whose decision it was."""
    reader.look_up(explanation, principal_arn)
    explanation = seen_by(reader, explanation)
    resource = explanation.get("resource", "")
    hides_tags = not own and not reader.sees(principal_arn)
    policies = explanation["policies"]
    readable = [reader.reads(policy) for policy in policies]
    near = [line for line in explanation.get("near", ()) if readable[line["policy"]]]
    statements = [line for line in explanation["statements"] if readable[line["policy"]] or line["decided"]]
    misses = [_miss(line, policies, reader, hides_tags=hides_tags) for line in near]
    of_resource = "trust" if _is_of_role(action, resource) else "resource"
    layer: str = of_resource if explanation["layer"] == "resource" else explanation["layer"]
    layers = [(of_resource if each == "resource" else each, said) for each, said in explanation.get("layers", ())]
    return Shown(
        action=action,
        resource=resource,
        outcome=explanation["outcome"],
        layer=layer,
        reason=explanation["reason"],
        layers=[Layer(_TITLES[each], *_VERDICTS[verdict]) for each, verdict in layers],
        statements=[_statement(line, policies, reader, may_read=readable[line["policy"]]) for line in statements],
        near=misses,
        unread=sum(
            not readable[line["policy"]] and line["layer"] != "resource" for line in explanation.get("near", ())
        ),
        left_off=explanation.get("left_off", 0),
        context=[
            (key, NOT_SHOWN if hides_tags and is_tag(key) else values)
            for key, values in sorted(explanation.get("context", {}).items())
        ],
        advice=advice({**explanation, "layer": layer}, action, resource, _keys_to_meet(misses, explanation["layer"])),
        own=own,
    )


def _is_of_role(action: str, resource: str) -> bool:
    """Whether it was about taking on a role: the policy of the resource is then its trust policy."""
    return action.partition(":")[0] in ("sts", "signin") and resource.partition("::")[2][12:].startswith(":role/")


def _keys_to_meet(misses: Sequence[Miss], layer: str) -> list[str]:
    """The condition keys on which an Allow failed, in the layer that lacks one."""
    lacking = (miss for miss in misses if miss.statement.effect == "Allow" and miss.statement.layer == layer)
    return [miss.key for miss in lacking if miss.key]


def is_tag(key: str) -> bool:
    return key.lower().startswith("aws:principaltag/")


def _miss(line: Mapping[str, Any], policies: Sequence[Mapping[str, str]], reader: Reader, *, hides_tags: bool) -> Miss:
    found = NOT_SHOWN if hides_tags and is_tag(line["key"]) else line["found"]
    return Miss(
        statement=_statement(line, policies, reader, may_read=True),
        element=line["element"],
        operator=line["operator"],
        key=line["key"],
        wanted=line["wanted"],
        found=found,
    )


def _statement(
    line: Mapping[str, Any], policies: Sequence[Mapping[str, str]], reader: Reader, *, may_read: bool
) -> Statement:
    policy = policies[line["policy"]]
    first, last = line["lines"]
    text = reader.text(policy) if may_read else None
    return Statement(
        policy=policy["source"].rpartition("/")[2] or policy["source"],
        source=policy["source"],
        origin=policy["origin"],
        layer=line["layer"],
        number=line["index"] + 1,
        sid=line["sid"],
        effect=line["effect"],
        lines=f"line {first}" if first == last else f"lines {first}–{last}",
        decided=bool(line.get("decided")),
        readable=may_read,
        quoted=_quoted(text, line["index"], first, last) if text else (),
    )


def _quoted(text: str, index: int, first: int, last: int) -> list[Line]:
    """The lines of a statement, or, where all stands on one line, the statement alone."""
    lines = _NEWLINE.split(text)[first - 1 : last]
    if any(len(line) > LONGEST_LINE for line in lines):
        return [Line(0, line) for line in _alone(text, index).split("\n")[:MOST_LINES]]
    return [Line(first + number, line) for number, line in enumerate(lines[:MOST_LINES])]


def _alone(text: str, index: int) -> str:
    try:
        found = json.loads(text)["Statement"]
        return json.dumps(found[index] if isinstance(found, list) else found, indent=2)
    except (ValueError, RecursionError, LookupError, TypeError):
        return text[:LONGEST_LINE]
