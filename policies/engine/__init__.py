"""The policy engine: reads documents of the IAM policy language, validates them, and decides requests by them.

Pure: no Django, no database, no clock. `parse` makes a Document, `evaluate` a Decision, `lint` the findings.
"""

from policies.engine.decision import ROOT_ALLOWED, Decision, NearMiss, Outcome, StatementRef
from policies.engine.document import UNREADABLE, Condition, Document, Principals, Statement
from policies.engine.evaluate import evaluate, might_allow
from policies.engine.findings import DocumentError, DocumentKind, Finding
from policies.engine.lint import lint
from policies.engine.parse import parse, size, unreadable
from policies.engine.request import AttachedPolicy, PolicySet, Request, RequestPrincipal

__all__ = [
    "ROOT_ALLOWED",
    "UNREADABLE",
    "AttachedPolicy",
    "Condition",
    "Decision",
    "Document",
    "DocumentError",
    "DocumentKind",
    "Finding",
    "NearMiss",
    "Outcome",
    "PolicySet",
    "Principals",
    "Request",
    "RequestPrincipal",
    "Statement",
    "StatementRef",
    "evaluate",
    "lint",
    "might_allow",
    "parse",
    "size",
    "unreadable",
]
