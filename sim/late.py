"""Libraries that are loaded when they are first used, not when they are imported: a start need not wait for what it does not use."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any


class LateModule(ModuleType):
    """A module that is there by its name, and is executed when something in it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        lock, state = self.__dict__["__late__"]
        with lock:  # other threads wait until all is there; what the module itself imports while it is executed goes on
            if state.pop("waiting", False):
                spec: Any = self.__spec__
                parent = spec.name.rpartition(".")[0]
                if parent:
                    import_module(parent).__path__  # noqa: B018 (it comes first, late or not)
                if spec.submodule_search_locations is not None:
                    self.__path__ = spec.submodule_search_locations
                try:
                    spec.loader.exec_module(self)
                except BaseException:
                    state["waiting"] = True
                    self.__dict__.pop("__path__", None)
                    raise
                self.__class__ = ModuleType  # type: ignore[assignment]
        return ModuleType.__getattribute__(self, name)


def late(*names: str) -> None:
    """Let modules be loaded when they are first used; those that are loaded already, or are not installed, stay as they are."""
    for name in names:
        spec = None if name in sys.modules else _spec(name)
        if spec is not None:
            module = module_from_spec(spec)
            module.__dict__["__late__"] = (RLock(), {"waiting": True})
            module.__dict__.pop("__path__", None)  # who imports a part of a package asks for its path: the package is loaded first
            module.__class__ = LateModule
            sys.modules[name] = module
            parent, _, last = name.rpartition(".")
            if parent in sys.modules:
                setattr(sys.modules[parent], last, module)


def _spec(name: str) -> ModuleSpec | None:
    """Where a module is; its parents are not imported, as :func:`importlib.util.find_spec` would."""
    parent = name.rpartition(".")[0]
    above = _spec(parent) if parent else None
    return PathFinder.find_spec(name, above.submodule_search_locations if above else None)
