import pytest

from api.paging import Pager
from audit.errors import ValidationError
from identities.models import User
from tests.api.conftest import ProgramOf
from tests.api.program import Program
from tests.cast import make_user


def names(page: object) -> list[str]:
    return [user["UserName"] for user in page["Users"]]  # type: ignore[index] # the answer of ListUsers


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    for name in ("Dora", "carol", "eve", "Bert"):
        make_user(alice.account, name, console=False)
    return program_of(alice)


def test_pages_follow_each_other_by_name_whatever_its_case(program: Program) -> None:
    seen: list[list[str]] = []
    marker: dict[str, str] = {}
    for _ in range(3):
        page = program.iam("ListUsers", MaxItems=2, **marker)
        seen.append(names(page))
        marker = {"Marker": page["Marker"]} if page["IsTruncated"] else {}
    assert seen == [["alice", "Bert"], ["carol", "Dora"], ["eve"]]
    assert marker == {}


def test_a_page_goes_on_after_its_last_row_was_deleted(program: Program) -> None:
    page = program.iam("ListUsers", MaxItems=2)
    User.objects.filter(name__in=names(page)[1:]).delete()
    assert names(program.iam("ListUsers", Marker=page["Marker"])) == ["carol", "Dora", "eve"]


def test_the_last_page_has_no_marker(program: Program) -> None:
    page = program.iam("ListUsers", MaxItems=5)
    assert page["IsTruncated"] is False
    assert "Marker" not in page


@pytest.mark.parametrize("marker", ["alice", "ImFsaWNlIg", "ImFsaWNlIg:AAAA", "!" * 320])
def test_a_made_up_marker_is_refused(marker: str) -> None:
    with pytest.raises(ValidationError):
        Pager("iam:ListUsers", 2, marker).slice([1, 2, 3])


def test_a_marker_of_another_list_is_refused() -> None:
    marker = str(Pager("iam:ListGroups", 1).slice([1, 2]).fields["Marker"])
    assert Pager("iam:ListGroups", 1, marker).slice([1, 2]).items == [2]
    with pytest.raises(ValidationError):
        Pager("iam:ListUsers", 1, marker).slice([1, 2])


@pytest.mark.parametrize(
    ("prefix", "expected"), [("/", 5), ("/eng/", 2), ("/eng", 2), ("/ENG/", 0), ("/eng/x/", 1), ("/%", 0)]
)
def test_a_path_prefix_is_compared_exactly(program: Program, prefix: str, expected: int) -> None:
    User.objects.filter(name="carol").update(path="/eng/")
    User.objects.filter(name="eve").update(path="/eng/x/")
    assert len(program.iam("ListUsers", PathPrefix=prefix)["Users"]) == expected
