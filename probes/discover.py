"""Finds the instances of a folder, so that adding one is adding a file."""

import importlib
import pkgutil
from collections.abc import Collection


def discover(package_name: str, attribute: str, *, skip: Collection[str] = ()) -> tuple[object, ...]:
    """The `attribute` of every module in a package, in the order of the modules' names.

    Folders inside the package are not looked into; `skip` names its modules that are no instances,
    such as the contract. A module that cannot be imported or lacks the attribute raises
    `ImportError` with its name: an instance that is silently missing would be a hole in the watch.
    """
    package = importlib.import_module(package_name)
    found = {info.name for info in pkgutil.iter_modules(package.__path__) if not info.ispkg}
    unknown = set(skip) - found
    if unknown:
        raise ImportError(f"{package_name} has no modules {sorted(unknown)} to skip")
    return tuple(_take(f"{package_name}.{name}", attribute) for name in sorted(found - set(skip)))


def _take(module_name: str, attribute: str) -> object:
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise ImportError(f"{module_name} cannot be imported: {error}") from error
    if not hasattr(module, attribute):
        raise ImportError(f"{module_name} does not end in `{attribute}: … = …`")
    found: object = getattr(module, attribute)
    return found
