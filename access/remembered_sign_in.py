"""The account and user name that this browser signed in with last, for filling in the sign-in page. Nothing secret, and
believed by nobody: it only stands in the fields until somebody types over it."""

from urllib.parse import parse_qs, urlencode


def write(account: str, user_name: str) -> str:
    return urlencode({"a": account, "u": user_name})


def read(cookie: str) -> tuple[str, str]:
    """(account, user name), each '' when there is none."""
    found = parse_qs(cookie[:512])
    return found.get("a", [""])[0][:63], found.get("u", [""])[0][:64]
