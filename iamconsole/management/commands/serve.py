import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from gunicorn.app.wsgiapp import WSGIApplication

from access.one_time import set_up_link
from iamconsole.checks import TAG


class Command(BaseCommand):
    help = "Serve the console on HOST and PORT. Refuses to start on settings that are not safe."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_unsafe_settings()
        self._migrate_if_needed()
        words = self._where_to_go()
        connection.close()
        # In this process, which has read the program already: reading it once more would cost another second.
        sys.argv = ["gunicorn", *server_arguments()]
        Server(lambda: self._say(words)).run()

    def _refuse_unsafe_settings(self) -> None:
        problems = [problem for problem in run_checks(tags=[TAG]) if problem.is_serious()]
        if problems:
            raise CommandError("The console does not start like this:\n" + "\n".join(map(str, problems)))

    def _migrate_if_needed(self) -> None:
        """A database that was removed, or is of an earlier release, is brought here; asking costs a few queries."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)

    def _where_to_go(self) -> list[str]:
        if link := set_up_link():
            first = ["There is no account yet. Open this link once to make it (it works for one hour):", link]
        else:
            first = [f"IAM Console is at {settings.SITE_URL}"]
        return ["", *first, f"Programs: AWS_ENDPOINT_URL={settings.SITE_URL}", "Stop it with Ctrl-C."]

    def _say(self, words: list[str]) -> None:
        for line in words:
            self.stdout.write(f"  {line}" if line else "")
        self.stdout.flush()


class Server(WSGIApplication):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn, which tells once it listens: whoever opens an address that it printed finds somebody there."""

    def __init__(self, listens: Callable[[], None]) -> None:
        self._listens = listens
        super().__init__(prog="gunicorn")

    def load_config(self) -> None:
        super().load_config()
        self.cfg.set("when_ready", lambda server: self._listens())


def server_arguments() -> list[str]:
    """Gunicorn's words. It reads request lines as long as it can, for the flows that carry their state in the address,
    and headers that name such an address (Referer). It drops header names with underscores, which WSGI could not tell
    from those with hyphens, and keeps the request's raw address, which signatures cover. No access log: addresses may
    hold one-time links, and the audit trail says who did what. No control socket: nothing but the console listens. It
    believes nobody about the scheme or the path, not even neighbours on the machine, among whom a proxy may be that
    hands on what its clients write: TRUSTED_PROTO_HEADER says what is believed."""
    arguments = ["--bind", f"{settings.HOST}:{settings.PORT}", "--workers", str(settings.WORKERS)]
    arguments += ["--worker-class", "iamconsole.worker.Worker", "--threads", str(settings.THREADS)]
    arguments += ["--header-map", "drop", "--forwarded-allow-ips", "", "--no-control-socket"]
    # Read once and forked, the program starts sooner, and the workers share its memory.
    arguments += ["--preload"]
    arguments += ["--limit-request-line", "8190", "--limit-request-field_size", "16380"]
    arguments += ["--keep-alive", "30", "--graceful-timeout", "10", "--log-level", "warning"]
    if settings.TLS_CERTIFICATE:
        arguments += ["--certfile", settings.TLS_CERTIFICATE, "--keyfile", settings.TLS_KEY]
    return [*arguments, "iamconsole.wsgi:application"]
