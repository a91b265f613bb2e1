"""The decision again, slow and obvious, from the documents as they are written: what the engine is compared with.

No index, no cache, no shared code with the engine. One function per sentence of the IAM User Guide.
"""

import base64
import datetime
import ipaddress
import re
from decimal import Decimal, InvalidOperation
from typing import Any

Document = dict[str, Any]
Statement = dict[str, Any]
Context = dict[str, list[str]]

NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
WITHOUT_IDENTITY = ("anonymous", "service", "federated")
SESSIONS = ("role-session", "federated-user")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(documents: list[Document]) -> list[tuple[Document, Statement]]:
    return [(document, statement) for document in documents for statement in listed(document["Statement"])]


def glob(pattern: str, text: str) -> bool:
    """The textbook table: the beginnings of the text that the pattern read so far can stand for."""
    fits = [True] + [False] * len(text)
    for sign in pattern:
        if sign == "*":
            for at in range(1, len(text) + 1):
                fits[at] = fits[at] or fits[at - 1]
        else:
            fits = [False] + [fits[at] and sign in ("?", text[at]) for at in range(len(text))]
    return fits[-1]


# Private characters stand for the literal *, ? and $ while a pattern is matched.
HIDDEN = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}


def hide(text: str) -> str:
    return "".join(HIDDEN.get(sign, sign) for sign in text)


def fill(text: str, document: Document, context: Context) -> str | None:
    """The text with its variables filled in, literals hidden; None when one has no value."""
    if document.get("Version") != "2012-10-17":
        return text.replace("$", HIDDEN["$"])
    missing = False

    def put(match: re.Match[str]) -> str:
        nonlocal missing
        inside = match.group(1)
        if inside in HIDDEN:
            return HIDDEN[inside]
        key, _, default = inside.partition(",")
        values = lookup(context, key.strip())
        if values is None and default:
            values = [default.strip().strip("'")]
        if values is None or len(values) != 1:
            missing = True
            return ""
        return hide(values[0])

    filled = re.sub(r"\$\{([^}]*)\}", put, text)
    return None if missing else filled.replace("$", HIDDEN["$"])


def lookup(context: Context, key: str) -> list[str] | None:
    return next((values for name, values in context.items() if name.lower() == key.lower() and values), None)


def matches_action(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(glob(text.lower(), action.lower()) for text in listed(statement["NotAction"]))
    return any(glob(text.lower(), action.lower()) for text in listed(statement["Action"]))


def matches_resource(document: Document, statement: Statement, resource: str, context: Context) -> bool:
    if "NotResource" in statement:
        return not any(matches_arn(document, text, resource, context) for text in listed(statement["NotResource"]))
    return any(matches_arn(document, text, resource, context) for text in listed(statement.get("Resource", "*")))


def matches_arn(document: Document, text: str, resource: str, context: Context) -> bool:
    filled = fill(text, document, context)
    return filled is not None and glob(filled, hide(resource))


def meets(document: Document, statement: Statement, context: Context) -> bool:
    return all(
        holds(document, operator, key, [str(value) for value in listed(values)], context)
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    )


def holds(document: Document, operator: str, key: str, wanted: list[str], context: Context) -> bool:
    found = lookup(context, key)
    prefix, _, name = operator.rpartition(":")
    if name == "Null":
        return ("true" if found is None else "false") in [value.lower() for value in wanted]
    base = name.removesuffix("IfExists")
    negated = base in NEGATIONS
    base = NEGATIONS.get(base, base)

    def fits(value: str) -> bool:
        one = any(equals(document, base, each, value, context) for each in wanted)
        return not one if negated else one

    if prefix == "ForAllValues":
        return found is None or found == [""] or all(fits(value) for value in found)
    if prefix == "ForAnyValue":
        if found is None:
            return name.endswith("IfExists")
        return found != [""] and any(fits(value) for value in found)
    if found is None:
        return negated or name.endswith("IfExists")
    return all(fits(value) for value in found) if negated else len(found) == 1 and fits(found[0])


def equals(document: Document, base: str, wanted: str, found: str, context: Context) -> bool:
    if base.startswith(("String", "Arn")):
        filled = fill(wanted, document, context)
        return filled is not None and equal_texts(base, filled, hide(found))
    if base == "IpAddress":
        return in_network(wanted, found)
    if base == "Bool":
        return wanted.lower() == found.lower() and found.lower() in ("true", "false")
    if base == "BinaryEquals":
        return from_base64(found) is not None and from_base64(wanted) == from_base64(found)
    read = moment if base.startswith("Date") else number
    left, right = read(found), read(wanted)
    if left is None or right is None:
        return False
    comparison = re.sub("^(Numeric|Date)", "", base)
    less, same = left < right, left == right
    return {
        "Equals": same,
        "LessThan": less,
        "LessThanEquals": less or same,
        "GreaterThan": not less and not same,
        "GreaterThanEquals": not less,
    }[comparison]


def equal_texts(base: str, wanted: str, found: str) -> bool:
    if base == "StringEquals":
        return wanted.replace("*", HIDDEN["*"]).replace("?", HIDDEN["?"]) == found
    if base == "StringEqualsIgnoreCase":
        return wanted.replace("*", HIDDEN["*"]).replace("?", HIDDEN["?"]).lower() == found.lower()
    if base == "StringLike":
        return glob(wanted, found)
    left, right = wanted.split(":", 5), found.split(":", 5)
    return len(left) == len(right) == 6 and right[0] == "arn" and all(map(glob, left, right))


def from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def moment(text: str) -> Decimal | None:
    if text.isdigit() and len(text) != 4:
        return Decimal(text)
    try:
        read = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = read if read.tzinfo else read.replace(tzinfo=datetime.UTC)
    return Decimal(aware.timestamp())


def in_network(wanted: str, found: str) -> bool:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def names(principal: Any) -> list[str]:
    if principal == "*":
        return ["*"]
    return [f"{kind}:{name}" if name != "*" else "*" for kind, some in principal.items() for name in listed(some)]


def names_itself(who: dict[str, str], named: list[str]) -> bool:
    """By ARN, host or service name, or (users and roles) by the unique id that a deleted one leaves behind."""
    group = {"service": "Service", "federated": "Federated"}.get(who["type"], "AWS")
    by_id = who["type"] in ("user", "role") and f"AWS:{who.get('unique_id')}" in named
    return f"{group}:{who['arn']}" in named or by_id


def names_behind(who: dict[str, str], named: list[str]) -> bool:
    """The role or user that a session belongs to, by ARN or by unique id."""
    issuer_id = who.get("unique_id", "").split(":")[0]
    return who["type"] in SESSIONS and bool({f"AWS:{who.get('issuer_arn')}", f"AWS:{issuer_id}"} & set(named))


def names_account(who: dict[str, str], named: list[str]) -> bool:
    account, canonical = who["account_id"], who.get("canonical_id")
    forms = {f"AWS:{account}", f"AWS:arn:aws:iam::{account}:root", f"CanonicalUser:{canonical}"}
    return who["type"] not in WITHOUT_IDENTITY and bool(forms & set(named))


def closeness(who: dict[str, str], principal: Any) -> str:
    """How a Principal names somebody: "", "account", "everyone", "behind" (the role of a session), "exactly"."""
    named = names(principal)
    if who["type"] == "anonymous":
        return "everyone" if "*" in named else ""
    if names_itself(who, named):
        return "behind" if who["type"] == "role" else "exactly"
    if names_behind(who, named):
        return "behind"
    if "*" in named:
        return "everyone"
    return "account" if names_account(who, named) else ""


def named_by(statement: Statement, who: dict[str, str], crosses: bool, has_boundary: bool) -> str:
    """Like `closeness`, for a statement that may have NotPrincipal, or (of an endpoint) neither."""
    if "Principal" in statement:
        return closeness(who, statement["Principal"])
    if "NotPrincipal" not in statement:
        return "everyone"
    excluded = names(statement["NotPrincipal"])
    if statement["Effect"] == "Allow":
        return "" if closeness(who, statement["NotPrincipal"]) else "everyone"
    if "*" in excluded:
        return ""
    return "" if is_exempt(who, excluded, crosses) and not has_boundary else "everyone"


def is_exempt(who: dict[str, str], excluded: list[str], crosses: bool) -> bool:
    """Named itself, with the role when it is a session, with the account when it is of another one."""
    if who["type"] == "anonymous":
        return False
    if who["type"] in WITHOUT_IDENTITY:
        return names_itself(who, excluded)
    account = {f"AWS:{who['account_id']}", f"AWS:arn:aws:iam::{who['account_id']}:root"} & set(excluded)
    if who["type"] == "root":
        return bool(account)
    behind = who["type"] not in SESSIONS or names_behind(who, excluded)
    return names_itself(who, excluded) and behind and (bool(account) or not crosses)


def decide(request: dict[str, Any], policies: dict[str, Any]) -> str:
    """Allowed, ExplicitlyDenied or ImplicitlyDenied, for a request and policies as the cases write them."""
    who, context = request["principal"], request["context"]
    kind = who["type"]
    crosses = who["account_id"] != request["resource_account"] and kind not in WITHOUT_IDENTITY
    has_boundary = policies.get("boundary") is not None
    identity = policies.get("identity", []) if kind not in (*WITHOUT_IDENTITY, "root") else []
    boundary = [policies["boundary"]] if has_boundary and kind not in (*WITHOUT_IDENTITY, "root") else None
    session = policies.get("session") if kind not in WITHOUT_IDENTITY else None
    services = policies.get("service_control", []) if kind not in WITHOUT_IDENTITY else []
    resource = [policies[name] for name in ("resource", "trust") if policies.get(name)]
    controls = policies.get("resource_control", [])
    endpoint = policies.get("endpoint")
    resource_must_allow = policies.get("resource_required", False) or policies.get("trust") is not None

    def applying(documents: list[Document], effect: str) -> list[Statement]:
        return [
            statement
            for document, statement in statements(documents)
            if statement["Effect"] == effect
            and matches_action(statement, request["action"])
            and matches_resource(document, statement, request["resource"], context)
            and meets(document, statement, context)
        ]

    def naming(documents: list[Document], effect: str) -> list[str]:
        found = [named_by(statement, who, crosses, has_boundary) for statement in applying(documents, effect)]
        return [each for each in found if each]

    if request["action"].lower() == "sts:getcalleridentity":
        return "Allowed"
    if any(applying(documents, "Deny") for documents in [identity, boundary or [], session or [], *services]):
        return "ExplicitlyDenied"
    if any(naming(documents, "Deny") for documents in [resource, *controls, endpoint or []]):
        return "ExplicitlyDenied"
    if endpoint is not None and not naming(endpoint, "Allow"):
        return "ImplicitlyDenied"
    if not all(applying(level, "Allow") for level in services) or not all(naming(level, "Allow") for level in controls):
        return "ImplicitlyDenied"
    granted = set(naming(resource, "Allow"))
    if kind in WITHOUT_IDENTITY:
        return "Allowed" if granted else "ImplicitlyDenied"
    within_session = session is None or bool(applying(session, "Allow"))
    within = within_session and (boundary is None or bool(applying(boundary, "Allow")))
    own = kind == "root" or bool(applying(identity, "Allow"))
    if kind == "root" or crosses or not granted:
        needs_grant = crosses or resource_must_allow
        return "Allowed" if own and within and (granted or not needs_grant) else "ImplicitlyDenied"
    named = "exactly" in granted and (kind != "user" or session is None)
    directly = bool(granted & {"exactly", "behind", "everyone"})
    return "Allowed" if named or ((own or directly) and within) else "ImplicitlyDenied"
