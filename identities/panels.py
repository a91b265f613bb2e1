"""Parts of a page that have an action of their own: shown when the gate allows it, else with the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.http import Gate
from policies.engine import Decision


@dataclass(frozen=True, slots=True)
class Panel:
    """What `components/not_allowed.html` needs: give it as `denial`."""

    action: str
    resource: str
    decision: Decision
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return self.decision.allowed


def panel(gate: Gate, action: str, resource: str, context: Mapping[str, Any] | None = None) -> Panel:
    return Panel(action, resource, gate.may(action, resource, context), context or {})
