"""The operations, one function each. Importing this package registers those of every module in it."""

from importlib import import_module
from pkgutil import iter_modules

from api.registry import find, registered

__all__ = ["find", "registered"]

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
