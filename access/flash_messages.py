"""What the next page says of what was just done, kept in a signed cookie until then."""

from typing import Any

from django.contrib.messages.storage.cookie import CookieStorage

from access import cookies


class FlashMessages(CookieStorage):
    """Django's own, in a cookie that is called as all others of the console are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cookie_name = cookies.name(cookies.MESSAGES)
