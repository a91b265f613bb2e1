"""What is compiled is kept between requests, never for longer than it is true, and within its bytes."""

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from policies import compiled
from policies.compiled import ByteCache, CompiledDocuments
from policies.engine import AttachedPolicy, DocumentKind, PolicySet, Request, evaluate
from policies.engine.index import candidates
from policies.models import document_digest
from tests.policies.cases import allow, deny, policy

MIB = 1024 * 1024
ORIGIN = "arn:aws:iam::111122223333:user/alice"
ASKED = Request("s3:GetObject", "arn:aws:s3:::garden/rose")


def attached(
    cache: CompiledDocuments, text: str, origin: str = ORIGIN, kind: DocumentKind = "identity"
) -> AttachedPolicy:
    digest = document_digest(text)
    return AttachedPolicy("a policy", origin, cache.get_many([digest], lambda _: {digest: text}, kind)[digest], digest)


def test_a_document_is_compiled_once() -> None:
    cache, text = CompiledDocuments(MIB), policy(allow())
    first = attached(cache, text)
    assert attached(cache, text).document is first.document
    assert (cache.documents.hits, cache.documents.misses, cache.documents.hit_rate) == (1, 1, 0.5)


def test_plans_pay_off_across_requests() -> None:
    cache, text = CompiledDocuments(MIB), policy(allow())
    first = cache.shared(PolicySet(identity=(attached(cache, text),)))
    assert evaluate(ASKED, first).allowed
    again = cache.shared(PolicySet(identity=(attached(cache, text),)))
    assert again is first
    assert list(again.plans) == [ASKED.action]


def test_a_set_is_found_by_what_leads_to_it_while_its_documents_are_kept() -> None:
    cache, text = CompiledDocuments(MIB), policy(allow())
    assert cache.cached_set(("rows",)) is None
    kept = cache.shared(PolicySet(identity=(attached(cache, text),)), ("rows",))
    assert cache.cached_set(("rows",)) is kept and cache.cached_set(("others",)) is None
    assert cache.shared(PolicySet(identity=(attached(cache, text),)), ("rows",)) is kept
    cache.documents.drop(("identity", document_digest(text)))
    assert cache.cached_set(("rows",)) is None


def test_a_set_of_what_is_not_kept_is_found_by_nothing() -> None:
    cache = CompiledDocuments(MIB)
    (lost,) = cache.get_many(["lost"], lambda _: {}).values()
    cache.shared(PolicySet(identity=(AttachedPolicy("a policy", ORIGIN, lost, "lost"),)), ("rows",))
    assert cache.cached_set(("rows",)) is None


def test_operators_read_in_the_log_whether_it_pays_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled, "REPORT_EVERY", 4)
    caplog.set_level("INFO", "iamconsole.policies")
    cache, text = CompiledDocuments(MIB), policy(allow())
    for _ in range(5):
        cache.shared(PolicySet(identity=(attached(cache, text),)))
    assert [record.message.split(" in ")[0] for record in caplog.records] == [
        "Compiled policies: 1 documents (75.0% found) and 1 policy sets (75.0% found)"
    ]
    assert caplog.records[0].message.endswith(" KiB of 1024.")


@pytest.mark.bar(72)
def test_policies_that_differ_in_anything_share_nothing() -> None:
    cache, text = CompiledDocuments(MIB), policy(allow())
    one = attached(cache, text)
    other, trust = attached(cache, policy(deny())), attached(cache, policy(deny()), kind="trust")
    sets = [
        PolicySet(identity=(one,)),
        PolicySet(identity=(one, other)),
        PolicySet(identity=(other, one)),
        PolicySet(identity=(replace(one, origin="arn:aws:iam::111122223333:group/all"),)),
        PolicySet(identity=(replace(one, source="another policy"),)),
        PolicySet(identity=(one,), boundary=other),
        PolicySet(identity=(one,), resource=trust),
        PolicySet(identity=(one,), session=(other,)),
        PolicySet(identity=(one,), session=()),
        PolicySet(identity=(one,), endpoint=()),
        PolicySet(identity=(one,), endpoint=(other,)),
        PolicySet(identity=(one,), service_control=((other,),)),
        PolicySet(identity=(one,), service_control=((other,), (one,))),
        PolicySet(identity=(one,), resource_control=((other,),)),
        PolicySet(identity=(one,), resource_required=True),
        PolicySet(),
    ]
    assert [cache.shared(each) is each for each in sets] == [True] * len(sets)
    assert [cache.shared(replace(each)) is each for each in sets] == [True] * len(sets)


@pytest.mark.bar(72)
def test_a_document_that_could_not_be_found_is_not_answered_for_later() -> None:
    cache, text = CompiledDocuments(MIB), policy(allow())
    digest = document_digest(text)
    missing = AttachedPolicy("a policy", ORIGIN, cache.get_many([digest], lambda _: {})[digest], digest)
    denied = cache.shared(PolicySet(identity=(missing,)))
    assert not evaluate(ASKED, denied).allowed
    assert evaluate(ASKED, cache.shared(PolicySet(identity=(attached(cache, text),)))).allowed


def test_a_document_that_goes_takes_its_policy_sets_along() -> None:
    cache, text = CompiledDocuments(MIB), policy(allow())
    first = cache.shared(PolicySet(identity=(attached(cache, text),)))
    cache.documents.drop(("identity", document_digest(text)))
    assert len(cache.policy_sets) == 0
    assert cache.shared(PolicySet(identity=(attached(cache, text),))) is not first


@pytest.mark.bar(72)
def test_the_caches_stay_within_their_bytes() -> None:
    cache = CompiledDocuments(MIB)
    for number in range(600):
        text = policy(*(allow(f"s3:Get{number}", f"arn:aws:s3:::b{number}/{each}/*") for each in range(4)))
        policies = cache.shared(PolicySet(identity=(attached(cache, text),)))
        for action in range(20):
            evaluate(Request(f"s3:Get{action}", "*"), policies)
        assert cache.weight <= MIB
    assert 5 < len(cache.documents) < 600
    assert 5 < len(cache.policy_sets) < 600
    assert len(cache._made_with) <= len(cache.documents)


def test_a_value_that_grew_is_weighed_again() -> None:
    weights = {"a": 10, "b": 10}
    cache: ByteCache[str, str] = ByteCache(25)
    for key in weights:
        cache.put(key, key, lambda key=key: weights[key])  # type: ignore[misc] # bound at once
    weights["b"] = 20
    assert cache.get("b") == "b"
    assert (cache.get("a"), cache.weight) == (None, 20)


def many_plain() -> str:
    actions, resources = [f"s3:Get{n}" for n in range(200)], [f"arn:aws:s3:::b{n}/*" for n in range(150)]
    return policy(allow(actions, resources))


def many_conditions() -> str:
    condition = {"StringLike": {"aws:PrincipalTag/team": ["red*", "${aws:username}"]}, "Bool": {"aws:a": "true"}}
    return policy(*(allow(f"s3:Get{n}*", f"arn:aws:s3:::*/{n}/?", Condition=condition) for n in range(60)))


def many_small() -> str:
    return policy(*(allow(f"s3:A{n}", "*") for n in range(200)))


@pytest.mark.parametrize("make", [many_plain, many_conditions, many_small], ids=lambda make: str(make.__name__))
def test_the_weight_of_a_document_is_no_less_than_what_it_holds(make: Callable[[], str]) -> None:
    text = make()
    attached(CompiledDocuments(MIB), text)  # what is made once for all documents counts for none
    gc.collect()
    tracemalloc.start()
    cache = CompiledDocuments(1024 * MIB)
    document = attached(cache, text).document
    actions = [action for statement in document.statements for action in statement.actions]
    for action in actions[:200]:
        candidates(document, action.lower())
    policies = cache.shared(PolicySet(identity=(attached(cache, text),)))
    for action in actions[:50]:
        evaluate(Request(action, "arn:aws:s3:::b1/1/2"), policies)
    attached(cache, text)
    cache.shared(PolicySet(identity=(attached(cache, text),)))
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held <= cache.weight <= 6 * held
