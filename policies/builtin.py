"""The built-in policies: one file each in `builtin_policies/`, loaded after every migration.

A changed file becomes the policy's next default version; the oldest of five makes room.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).with_name("builtin_policies")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def shipped() -> list[dict[str, str]]:
    """Each as name, path, description and document (text), in order of name."""
    return [
        {
            "name": path.stem,
            "path": content.get("Path", "/"),
            "description": content["Description"],
            "document": json.dumps(content["Document"], indent=2),
        }
        for path in sorted(DIRECTORY.glob("*.json"))
        for content in [json.loads(path.read_text())]
    ]


def unique_id(name: str) -> str:
    """The same on every installation, as AWS's own are."""
    digest = hashlib.sha256(f"built-in {name}".encode()).digest()
    return "ANPA" + "".join(_ALPHABET[byte % 32] for byte in digest[:17])


def load(policy_model: Any, version_model: Any) -> None:
    """Bring the built-in policies to what this release ships; runs with the models given (migrations, tests)."""
    for item in shipped():
        policy, _ = policy_model.objects.update_or_create(
            account=None,
            name=item["name"],
            defaults={
                "unique_id": unique_id(item["name"]),
                "path": item["path"],
                "description": item["description"],
            },
        )
        current = policy.versions.filter(is_default=True).first()
        if current is None or current.document != item["document"]:
            _add_version(policy, version_model, item["document"])


def _add_version(policy: Any, version_model: Any, document: str) -> None:
    used = dict(policy.versions.order_by("number").values_list("slot", "number"))
    if len(used) >= 5:
        oldest = min(used, key=lambda slot: used[slot])
        policy.versions.filter(slot=oldest).delete()
        del used[oldest]
    policy.versions.filter(is_default=True).update(is_default=False)
    policy.newest_version += 1
    policy.save()
    slot = next(slot for slot in range(1, 6) if slot not in used)
    version_model.objects.create(
        policy=policy, number=policy.newest_version, slot=slot, is_default=True, document=document
    )
