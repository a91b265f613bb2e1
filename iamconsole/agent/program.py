"""Starting and stopping: options, the join token, and the two threads."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from iamconsole.agent.console import BadAddress, Console
from iamconsole.agent.keeper import Keeper
from iamconsole.agent.metadata import CONTAINER_PATH, Metadata
from iamconsole.agent.server import DEFAULT_PORT, MetadataServer, NotLoopback, parsed
from iamconsole.agent.state import CONTAINER_TOKEN, Damaged, StateFolder, Unsafe

HELP = (
    "Run on a machine: join the console once, and hand the credentials of the machine's role to the applications on "
    "it. Needs no database."
)
# Only here, in a file or on standard input: everybody on a machine can read the words that a program was started with.
TOKEN_VARIABLE = "MACHINE_JOIN_TOKEN"  # noqa: S105 # the name of a variable
_LONGEST_TOKEN = 4096


class CannotStart(Exception):
    """A sentence for whoever starts the program."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--console", required=True, help="the console's address, such as https://iam.example.com")
    parser.add_argument("--state", type=Path, default=Path("~/.iamconsole-machine"), help="folder of the key pair")
    parser.add_argument(
        "--join-token-file", default="", help=f"file with the join token, - for standard input; or {TOKEN_VARIABLE}"
    )
    parser.add_argument("--listen", default=f"127.0.0.1:{DEFAULT_PORT}", help="loopback address and port")
    parser.add_argument("--region", default="us-east-1", help="the region that SDKs are told")
    parser.add_argument("--ca-file", default="", help="certificates to trust instead of the system's")
    parser.add_argument("--allow-http", action="store_true", help="ask a console elsewhere without encryption")
    parser.add_argument(
        "--only-container", action="store_true", help="no metadata service: only whoever has the container token asks"
    )


def run(options: dict[str, Any]) -> None:
    """Serve until the process is told to end. Raises CannotStart."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        server, keeper = _prepared(options)
    except (BadAddress, Damaged, NotLoopback, Unsafe, OSError) as error:
        raise CannotStart(str(error)) from error
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _say_where(server, options)
    keeper.run(stop)
    server.shutdown()
    server.server_close()


def _prepared(options: dict[str, Any]) -> tuple[MetadataServer, Keeper]:
    state = StateFolder(options["state"].expanduser().absolute())
    console = Console.at(options["console"], ca_file=options["ca_file"], allow_http=options["allow_http"])
    address = parsed(options["listen"])
    keeper = Keeper(state, console, _join_token(options["join_token_file"]))
    metadata = Metadata(keeper.look, state.container_token(), options["region"], has_imds=not options["only_container"])
    return MetadataServer(address, metadata), keeper


def _join_token(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.readline(_LONGEST_TOKEN).strip()
        if file:
            return Path(file).read_text()[:_LONGEST_TOKEN].strip()
    except UnicodeDecodeError as error:
        raise CannotStart("What was given as the join token is no text.") from error
    return os.environ.get(TOKEN_VARIABLE, "").strip()


def _say_where(server: MetadataServer, options: dict[str, Any]) -> None:
    """What applications on this machine need in their environment."""
    lines = [f"Giving credentials on {server.url} to applications on this machine:"]
    if not options["only_container"]:
        lines.append(f"  AWS_EC2_METADATA_SERVICE_ENDPOINT={server.url}")
    token_file = options["state"].expanduser().absolute() / CONTAINER_TOKEN
    lines += [
        f"  AWS_CONTAINER_CREDENTIALS_FULL_URI={server.url}{CONTAINER_PATH}",
        f"  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE={token_file}",
        f"  AWS_ENDPOINT_URL={options['console']}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
