"""Feed the reader, the validation and the decision with broken and strange documents: `make fuzz`, ten minutes.

atheris changes the documents of the tests at random, guided by which lines of the engine they reach. Whatever comes,
a text is read or refused, a document that was read decides, and nothing takes long. `MINUTES` sets another duration.
"""

import os
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["policies.engine"]):
    from policies.engine import (
        AttachedPolicy,
        DocumentError,
        DocumentKind,
        PolicySet,
        Request,
        RequestPrincipal,
        evaluate,
        lint,
        parse,
    )
from tests.policies.cases import as_text, load

FOLDER = Path(__file__).resolve().parent.parent / ".bench/fuzz"
KINDS: tuple[DocumentKind, ...] = ("identity", "resource", "trust", "resource_control", "endpoint")
# The counters that guide atheris make everything slower; plainly slow inputs take many times as long.
SLOWEST_SECONDS = 2.0
ACCOUNT = "111122223333"
ALICE = RequestPrincipal(f"arn:aws:iam::{ACCOUNT}:user/alice", ACCOUNT, "user", "AIDAEXAMPLEALICE0001")
ASKED = Request("s3:GetObject", "arn:aws:s3:::garden/rose", {"aws:username": "alice"}, ALICE, ACCOUNT)


def try_document(data: bytes) -> None:
    text = data[1:].decode("utf-8", "replace")
    kind = KINDS[data[0] % len(KINDS)] if data else "identity"
    start = time.process_time()
    refused = any(finding.severity == "error" for finding in lint(text, kind))
    try:
        document = parse(text, kind)
    except DocumentError:
        if not refused:
            raise AssertionError("refused without a finding that is an error") from None
    else:
        if refused:
            raise AssertionError("read in spite of a finding that is an error")
        attached = AttachedPolicy("p", "o", document)
        sets = (PolicySet(identity=(attached,)), PolicySet(resource=attached), PolicySet(endpoint=(attached,)))
        for policies in sets:
            plain, explained = evaluate(ASKED, policies), evaluate(ASKED, policies, explain=True)
            if plain.outcome != explained.outcome:
                raise AssertionError("the explanation has another outcome")
    if time.process_time() - start > SLOWEST_SECONDS:
        raise AssertionError(f"took {time.process_time() - start:.1f} s")


def seed() -> Path:
    """The documents of the tests, as a first stock to change."""
    corpus = FOLDER / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    texts = [as_text(case["document"]) for topic in ("validation", "warnings") for case in load(topic)]
    for topic in ("conditions", "variables", "actions_and_resources"):
        texts += [as_text(document) for case in load(topic) for document in case["policies"].get("identity", ())]
    for number, text in enumerate(texts):
        (corpus / f"seed-{number}").write_bytes(bytes([number % len(KINDS)]) + text.encode())
    return corpus


def main() -> None:
    seconds = round(float(os.environ.get("MINUTES", "10")) * 60)
    options = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=30", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={FOLDER}/found-", str(seed())], try_document)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
