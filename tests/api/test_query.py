"""Reading the Query protocol: types, constraints in AWS's words, and limits."""

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from api import query, shapes
from audit.errors import ValidationError
from tests.rig.work import at_most

LIST_TYPES = {"UserName": "alice", "Tags.member.2.Key": "b", "Tags.member.2.Value": "2", "Tags.member.1.Key": "a"}


def read(name: str, table: Mapping[str, str]) -> dict[str, object]:
    service, operation = name.split(":")
    return query.read_input(shapes.operation(service, operation), table)


def complaint(name: str, **table: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        read(name, table)
    return refusal.value.message


def test_it_reads_lists_of_structures_in_the_order_of_their_numbers() -> None:
    table = LIST_TYPES | {"Tags.member.1.Value": ""}
    tags = [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]
    assert read("iam:TagUser", table) == {"UserName": "alice", "Tags": tags}


def test_it_reads_an_empty_list() -> None:
    assert read("iam:CreateUser", {"UserName": "alice", "Tags": ""}) == {"UserName": "alice", "Tags": []}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("True", True)])
def test_it_reads_booleans(text: str, value: bool) -> None:
    table = {"UserName": "alice", "PasswordResetRequired": text}
    assert read("iam:UpdateLoginProfile", table)["PasswordResetRequired"] is value


def test_it_ignores_what_the_operation_does_not_know() -> None:
    assert read("iam:GetUser", {"UserName": "alice", "Colour": "blue", "Tags.member.1.Key": "a"}) == {
        "UserName": "alice"
    }


def test_it_names_what_is_missing() -> None:
    expected = "Value null at 'userName' failed to satisfy constraint: Member must not be null"
    assert complaint("iam:CreateUser") == f"1 validation error detected: {expected}"


def test_it_names_several_errors_in_one_message() -> None:
    message = complaint("iam:CreateUser", UserName="a b", Path="eng")
    assert message.startswith("2 validation errors detected: Value 'eng' at 'path' failed to satisfy constraint: ")
    assert message.endswith(
        "; Value 'a b' at 'userName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]+"
    )


@pytest.mark.parametrize(
    ("name", "table", "constraint"),
    [
        ("iam:CreateUser", {"UserName": "a" * 65}, "Member must have length less than or equal to 64"),
        ("iam:CreateUser", {"UserName": ""}, "Member must have length greater than or equal to 1"),
        ("iam:ListUsers", {"MaxItems": "1001"}, "Member must have value less than or equal to 1000"),
        ("iam:ListUsers", {"MaxItems": "0"}, "Member must have value greater than or equal to 1"),
        ("iam:ListUsers", {"MaxItems": "ten"}, "Member must be a whole number"),
        ("iam:ListUsers", {"MaxItems": "１"}, "Member must be a whole number"),
        ("iam:ListUsers", {"MaxItems": "9" * 5000}, "Member must be a whole number"),
        (
            "iam:UpdateAccessKey",
            {"AccessKeyId": "A" * 20, "Status": "On"},
            "Member must satisfy enum value set: [Active, Inactive, Expired]",
        ),
        (
            "iam:UpdateLoginProfile",
            {"UserName": "a", "PasswordResetRequired": "yes"},
            "Member must be true or false",
        ),
        ("iam:CreatePolicy", {"PolicyName": "p", "PolicyDocument": "{}", "Description": "a\0b"}, "Member must not"),
        ("iam:CreateUser", {"UserName": "ünal"}, r"Member must satisfy regular expression pattern: [\w+=,.@-]+"),
        ("iam:CreateUser", {"UserName": "alice\n"}, r"Member must satisfy regular expression pattern: [\w+=,.@-]+"),
    ],
)
def test_it_holds_values_to_the_models_constraints(name: str, table: dict[str, str], constraint: str) -> None:
    assert constraint in complaint(name, **table)


def test_it_names_the_place_of_a_fault_in_a_list() -> None:
    message = complaint("iam:TagUser", **LIST_TYPES)
    assert message.endswith("Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null")


def test_it_names_all_constraints_of_a_lists_element() -> None:
    message = complaint("iam:UntagUser", **{"UserName": "a", "TagKeys.member.1": "x", "TagKeys.member.2": "a;b"})
    assert "Value '[x, a;b]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [" in message
    assert "Member must have length less than or equal to 128, Member must have length greater" in message


def test_it_counts_the_elements_of_a_list() -> None:
    tags = {f"Tags.member.{number}.{part}": "x" for number in range(1, 52) for part in ("Key", "Value")}
    assert "at 'tags' failed to satisfy constraint: Member must have length" in complaint(
        "iam:TagUser", UserName="a", **tags
    )


@pytest.mark.bar(78, 122)
def test_it_never_repeats_a_secret() -> None:
    message = complaint("iam:ChangePassword", OldPassword="hunter2\u0001", NewPassword="")
    assert message.startswith("3 validation errors detected: Value at 'oldPassword' failed")
    assert "hunter2" not in message


@pytest.mark.bar(129)
@pytest.mark.parametrize("name", ["Tags.member.x.Key", "Tags.member.0.Key", "Tags.member.99999999999.Key"])
def test_it_refuses_what_is_no_number_of_an_element(name: str) -> None:
    assert "is not the number of a list's element" in complaint("iam:TagUser", UserName="a", **{name: "x"})


@pytest.mark.bar(129)
def test_a_huge_number_of_an_element_costs_nothing() -> None:
    with at_most(10_000):
        assert "tags.999999" in complaint("iam:TagUser", **{"UserName": "a", "Tags.member.999999.Key": "x"})


@pytest.mark.bar(129)
def test_it_counts_parameters_before_reading_them() -> None:
    with pytest.raises(query.MalformedQueryString):
        query.parameters(b"a=1", b"&".join(b"x%d=1" % number for number in range(query.MOST_PARAMETERS)))


@pytest.mark.bar(129)
def test_it_does_not_follow_endless_names() -> None:
    assert read("iam:CreateUser", {"UserName": "a", "Tags" + ".member" * 1000: "x"}) == {"UserName": "a"}


@pytest.mark.bar(81)
@pytest.mark.parametrize("sources", [(b"Action=A&Action=B",), (b"Action=A", b"Action=B"), (b"a=1&%61=2",)])
def test_it_refuses_a_parameter_given_twice(sources: tuple[bytes, ...]) -> None:
    with pytest.raises(query.MalformedQueryString, match="more than once"):
        query.parameters(*sources)


def test_it_refuses_what_is_not_utf_8() -> None:
    with pytest.raises(query.MalformedQueryString, match="UTF-8"):
        query.parameters(b"UserName=%FF")


def test_it_leaves_the_presigned_signature_out() -> None:
    assert query.parameters(b"Action=A&X-Amz-Signature=abc&X-Amz-Date=1") == {"Action": "A"}


def test_it_reads_awkward_characters() -> None:
    sent = {"a": "x y+z&=%;/\n€😀", "b": ""}
    assert query.parameters(urlencode(sent).encode()) == sent
