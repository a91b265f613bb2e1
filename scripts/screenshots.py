"""The pictures of the README, in light and in dark: `make screenshots`. Starts a console of its own on made-up data."""

import json
import tempfile
from pathlib import Path

import boto3
from playwright.sync_api import Page, sync_playwright

from tests.rig.browser import CHROMIUM, LAUNCH_ARGS
from tests.rig.served import Served, collect_static, serve

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
ROOT_PASSWORD, PASSWORD = "harbour lantern quilt 7731", "Copper-meadow-violin-4482"
AS_ROOT = {"dashboard": "/dashboard/"}
AS_ADMINISTRATOR = {
    "users": "/identities/users/",
    "groups": "/identities/groups/",
    "policy": "/policies/create/?start=read-only",
    "rotate": "/me/access-keys/rotate/",
    "findings": "/security-findings/",
    "audit": "/audit/",
}


def make_people(served: Served) -> None:
    words = ("--name", "Acme", "--email", "owner@acme.example", "--alias", "acme", "--access-key", "--json")
    made = json.loads(served.manage("createaccount", *words, "--password-stdin", stdin=ROOT_PASSWORD).stdout)
    served.manage("loaddemo", "--users", "400", "--groups", "60")
    iam = boto3.client(
        "iam",
        endpoint_url=served.url,
        region_name="us-east-1",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
    )
    iam.create_user(UserName="maria")
    iam.create_login_profile(UserName="maria", Password=PASSWORD)
    iam.attach_user_policy(UserName="maria", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    for _ in range(2):
        iam.create_access_key(UserName="maria")
    iam.delete_access_key(AccessKeyId=made["AccessKeyId"])


def sign_in_as_root(page: Page) -> None:
    page.goto("/root-signin/")
    page.get_by_label("Root user's e-mail address").fill("owner@acme.example")
    page.get_by_role("button", name="Next").click()
    page.locator("input[type=password]").fill(ROOT_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/protect-root/**")


def sign_in_as_administrator(page: Page) -> None:
    page.goto("/signin/acme/")
    page.get_by_label("IAM user name").fill("maria")
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard/")


def take(page: Page, pages: dict[str, str]) -> None:
    """Each page is opened anew in each scheme: buttons change their colour slowly."""
    for name, address in pages.items():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address)
            page.wait_for_timeout(300)
            page.screenshot(path=FOLDER / f"{name}-{scheme}.png")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        static_root, data_dir = Path(folder, "static"), Path(folder, "data")
        static_root.mkdir()
        data_dir.mkdir()
        collect_static(static_root)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=LAUNCH_ARGS)
        with serve(data_dir, static_root) as served:
            make_people(served)
            for sign_in, pages in ((sign_in_as_root, AS_ROOT), (sign_in_as_administrator, AS_ADMINISTRATOR)):
                context = browser.new_context(base_url=served.url, viewport={"width": 1280, "height": 800})
                page = context.new_page()
                sign_in(page)
                take(page, pages)
        browser.close()


if __name__ == "__main__":
    main()
