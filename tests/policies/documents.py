"""Documents that the tests of policies store, and some that nobody may store."""

import json

from policies.definitions import Definition

ALLOW = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}'
OTHER = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:GetUser", "Resource": "*"}]}'


def statement(**changes: object) -> str:
    """The document with one statement in which some elements are other ones; None takes an element away."""
    elements = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"} | changes
    kept = {name: value for name, value in elements.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


def of_size(characters: int) -> str:
    """A document that counts exactly so many characters, with white space that is not counted."""
    text = statement(Sid="")
    missing = characters - len("".join(text.split()))
    return statement(Sid="a" * missing)


GROUP_PRINCIPAL = statement(Principal={"AWS": "arn:aws:iam::111122223333:group/admins"})
REFUSED = {
    "no JSON": '{"Version": "2012-10-17", "Statement": [}',
    "empty": "",
    "comma at the end": '{"Version": "2012-10-17", "Statement": [],}',
    "unknown element": statement(Resources="*"),
    "unknown operator": statement(Condition={"StringSortOf": {"aws:username": "bob"}}),
    "unknown version": ALLOW.replace("2012-10-17", "2030-01-01"),
    "no version": ALLOW.replace('"Version": "2012-10-17", ', ""),
    "unknown effect": statement(Effect="allow"),
    "empty key": statement(Condition={"StringEquals": {"": "bob"}}),
    "no action": statement(Action=None),
    "action without service": statement(Action="ListUsers"),
    "no ARN": statement(Resource="bucket"),
    "a group as principal": GROUP_PRINCIPAL,
    "strange character": ALLOW.replace("iam:ListUsers", "iam:List\u202eUsers"),
    "name given twice": ALLOW.replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"'),
    "too deep": '{"Version": "2012-10-17", "Statement": ' + "[" * 40 + "]" * 40 + "}",
    "too long": ALLOW + " " * 131_072,
}

GARDEN: Definition = {
    "actions": [
        {
            "name": "Plant",
            "access_level": "Write",
            "description": "Put something into a bed",
            "resource_types": ["bed"],
            "condition_keys": ["garden:Season"],
        },
        {
            "name": "ListBeds",
            "access_level": "List",
            "description": "",
            "resource_types": [],
            "condition_keys": [],
        },
    ],
    "resource_types": [{"name": "bed", "arn": "arn:aws:garden::${Account}:bed/${BedName}"}],
    "condition_keys": [{"name": "garden:Season", "type": "String", "multivalued": False}],
}
