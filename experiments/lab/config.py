"""The way into every experiment: Hydra composes, we check, errors become one line.

Hydra reads the configuration and nothing else: no logging, no folders, no callbacks, no
instantiation. What users write is looked at before Hydra sees it, because Hydra itself would run
code named in a configuration.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import hydra
from antlr4 import CommonTokenStream, InputStream
from antlr4.tree.Tree import TerminalNode
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString
from hydra.errors import HydraException
from hydra.grammar.gen.OverrideLexer import OverrideLexer
from hydra.grammar.gen.OverrideParser import OverrideParser
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sim.parameters import Parameters
from sim.presets import CONFIGS, GROUPS, available, check_name, load, read_yaml
from sim.process import command
from sim.schema import NOT_ZERO, InvalidInput, hidden, nearest, refuse_hidden, to_mapping, vanishes

#: Hydra's flags that read nothing from elsewhere. All others are refused, abbreviated ones too, which Hydra would take.
FLAGS = {
    "--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--resolve", "--package", "-p", "--run", "-r", "--multirun", "-m",
    "--info", "-i", "--shell-completion", "-sc",
}  # fmt: skip
#: The file that says how Hydra itself is set up.
HYDRA = "hidden"
#: Hydra writes no log of its own; it takes this from the primary configuration or the command line only.
QUIET = ("hydra/job_logging=disabled", "hydra/hydra_logging=disabled")

# Hydra would compose all of it once more, only to read whether its own settings say --multirun; ours never do, and nobody can change them.
Hydra.get_mode = lambda *_, **__: None  # type: ignore[method-assign]


@cache
def _store_defaults() -> dict[str, Any]:
    values = to_mapping(Parameters())
    managed = {group: values.pop(group) for group in ("strategy", "maturity")}
    store = ConfigStore.instance()
    store.store(name="common", node=values, package="_global_")
    store.store(name="managed", node=managed, package="_global_")
    return {**values, **managed}


def main(experiment: str, task: Callable[[dict[str, Any]], int | None]) -> None:
    """Run ``task`` on the composed configuration ``configs/<experiment>.yaml`` and exit.

    Exit codes: 0; 1 where a run failed (as ``task`` says); 2 for input that cannot be used; those of
    :func:`sim.process.command` for all else.
    """
    command(lambda: composed(experiment, task))


def composed(experiment: str, task: Callable[[dict[str, Any]], int | None]) -> int:
    """Let Hydra compose the configuration and do the task; returns the exit code."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let errors through, so that one line can be made of them
    defaults = _store_defaults()
    code = 0

    def run(config: DictConfig) -> None:
        nonlocal code
        try:  # here already, because Hydra prints a line of its own for an error that passes through it
            values = OmegaConf.to_container(config, resolve=True)
            code = max(code, task(values) or 0)  # type: ignore[arg-type]
        except (InvalidInput, OmegaConfBaseException) as error:
            code = refuse(error)

    run.__module__ = "__main__"
    try:
        check_files(CONFIGS)
        given = check_command_line(sys.argv[1:], experiment, defaults)
        first = next((i for i, word in enumerate(sys.argv) if i and word in given), len(sys.argv))  # Hydra takes overrides in one row only
        sys.argv[first:first] = [override for override in QUIET if override not in sys.argv]
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=experiment)(run)()
    except InvalidInput as error:
        code = refuse(error)
    except (HydraException, OmegaConfBaseException) as error:
        code = refuse(error)
    return code


def refuse(error: Exception) -> int:
    """Print what is wrong in one line; returns exit code 2."""
    line = " ".join(str(error).split())
    print("error: " + "".join(c if not hidden(c) else f"\\u{ord(c):04x}" for c in line), file=sys.stderr)
    return 2


def check_files(folder: Path) -> None:
    """Refuse anything executable, or clever, in the configuration files."""
    for path in sorted(folder.rglob("*.yaml")):
        if path.parent == folder:  # the experiments' own, which say how Hydra is set up
            continue
        status = path.stat()
        _check_file(path, str(path.relative_to(folder.parent)), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=512)
def _check_file(path: Path, name: str, *_changed: int) -> None:
    """Look at one file, once as long as it stays as it is."""
    group = path.parent.name
    head = path.read_text(encoding="utf-8", errors="replace")[:4096]
    package = re.search(r"^#\s*@package\s+(\S+)", head, re.M)
    if package and not (group == "experiment" and package[1] == "_global_"):
        raise InvalidInput(name, package[0], "no @package line (but «# @package _global_» in experiment/)")
    values = read_yaml(path)
    if not isinstance(values, Mapping):
        raise InvalidInput(name, values, "a mapping of parameter names to values")
    check_name(name, path.stem)
    _refuse_executable(name, values, allow_defaults=group == "experiment")


def _refuse_executable(where: str, node: Any, allow_defaults: bool = False) -> None:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if not isinstance(key, str) or key.startswith("_") or key == "hydra" or (key == "defaults" and not allow_defaults):
                raise InvalidInput(where, key, "names of parameters only; nothing in a configuration is executed")
            _refuse_executable(where, value)
    elif isinstance(node, list):
        for value in node:
            _refuse_executable(where, value)
    elif isinstance(node, str) and ("${" in node or "hydra/" in node):
        raise InvalidInput(where, node, "plain values; nothing in a configuration is interpolated or executed")


def check_command_line(arguments: list[str], experiment: str, defaults: dict[str, Any]) -> list[str]:
    """Refuse unknown keys and anything executable among the overrides, naming the nearest known key; returns the overrides."""
    given = _check_flags(arguments)
    overrides = [a for a in arguments if not a.startswith("-") and ("=" in a or a.startswith("~"))]
    own, groups = read_experiment(experiment)
    known = set(_flat(own))
    for group in {"design", "executor", "population"} & set(groups):  # these are no parameters of the model
        known |= {f"{group}.{key}" for name in available(group) for key in load(group, name)}
    known |= set(_flat({k: v for k, v in defaults.items() if k in groups or k not in GROUPS}))
    for override in OverridesParser.create().parse_overrides(overrides):
        key, text = override.key_or_group, override.input_line or ""
        if "${" in text or key.split(".")[0].split("/")[0] == "hydra":
            raise InvalidInput(key, text.split("=", 1)[-1], "plain values of the experiment's own keys")
        if override.is_add() or override.is_force_add() or override.is_delete():
            raise InvalidInput(text or key, key, "an existing key without + or ~: " + nearest(key, sorted(known)))
        if key not in groups and key not in known:
            raise InvalidInput(key, text.split("=", 1)[-1], nearest(key, sorted(known | set(groups))))
        _refuse_lost(key, OverrideParser(CommonTokenStream(OverrideLexer(InputStream(text)))).override())
        if key in groups:
            chosen = override.value()
            for value in chosen.list if isinstance(chosen, ChoiceSweep) else [chosen]:
                load(key, value.text if isinstance(value, QuotedString) else value)  # type: ignore[arg-type]
    return given


def _check_flags(arguments: list[str]) -> list[str]:
    """Refuse unknown flags, and what Hydra's parser of the command line would answer with its usage; returns the overrides."""
    for argument in arguments:
        if argument.startswith("-") and argument.split("=")[0] not in FLAGS:
            raise InvalidInput(
                "command line", argument, "overrides such as strategy=model_first, or a flag such as --cfg job; files go into configs/"
            )

    def refuse(message: str) -> None:
        between = "flags before or after all overrides, not between them; " if message.startswith("unrecognized") else ""
        raise InvalidInput("command line", " ".join(arguments), between + message)

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign, assignment]
    return list(parser.parse_args(arguments).overrides)


def _refuse_lost(key: str, node: Any, evaluated: bool = False) -> None:
    """Refuse what would be lost without a word in an override's tree: a name given twice, a number too small for a float."""
    evaluated = evaluated or isinstance(node, OverrideParser.FunctionContext)  # whose texts may become numbers
    if isinstance(node, OverrideParser.DictContainerContext):
        names = [pair.dictKey().getText().strip() for pair in node.dictKeyValuePair()]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            raise InvalidInput(key, node.getText(), f"every name once, and not {twice} twice")
    number = isinstance(node, TerminalNode) and (evaluated or node.symbol.type == OverrideLexer.FLOAT)
    if number and vanishes(node.getText().strip("'\"")):
        raise InvalidInput(key, node.getText(), NOT_ZERO)
    for child in getattr(node, "children", None) or ():
        _refuse_lost(key, child, evaluated)


def read_experiment(experiment: str) -> tuple[dict[str, Any], list[str]]:
    """An experiment's own settings with those of the files it begins with, and the preset groups to choose from."""
    values: Any = OmegaConf.to_container(OmegaConf.load(CONFIGS / f"{experiment}.yaml"), resolve=False)
    settings: dict[str, Any] = {}
    groups: list[str] = []
    for entry in values.pop("defaults"):
        if isinstance(entry, Mapping):
            groups += map(str, entry)
        elif (CONFIGS / f"{entry}.yaml").is_file() and entry != HYDRA:
            more, inner = read_experiment(entry)
            settings |= more
            groups += inner
    return settings | {str(key): value for key, value in values.items()}, groups


def overrides() -> list[str]:
    """What stands on the command line, override by override; nothing outside a command."""
    return list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []


def chosen_presets() -> dict[str, str]:
    """The presets chosen, by group; nothing outside a command."""
    return dict(HydraConfig.get().runtime.choices) if HydraConfig.initialized() else {}


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys = []
    for key, value in values.items():
        keys.append(prefix + key)
        if isinstance(value, Mapping):
            keys += _flat(value, prefix + key + ".")
    return keys


def take(values: dict[str, Any], key: str, kind: str, low: float = 0, high: float = 0) -> Any:
    """Remove and check one of the experiment's own settings: ``count``, ``number``, ``flag``, ``names``, ``text`` or ``seed``."""
    value = values.pop(key)
    if kind == "seed":
        low, high = 0, (1 << 63) - 1
    if kind in ("count", "seed"):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidInput(key, value, f"a whole number from {low} to {high}")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidInput(key, value, f"a number from {low:g} to {high:g}")
    elif kind == "flag":
        if not isinstance(value, bool):
            raise InvalidInput(key, value, "true or false")
    elif kind == "names":
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value) or len(set(value)) < len(value):
            raise InvalidInput(key, value, "a list of names without repetition, in brackets: [one,another]")
    elif not isinstance(value, str) or "\0" in value:
        raise InvalidInput(key, value, "a text")
    if kind in ("text", "names"):
        refuse_hidden(key, value)
    return value


def ages(given: Mapping[str, Any], key: str) -> tuple[int, int]:
    """A range of ages [weeks]."""
    value = given[key]
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        or not 0 <= value[0] <= value[1] - 4
    ):
        raise InvalidInput(key, value, "a range of weeks [first, last], four weeks long or more")
    return value[0], value[1]


def settings_of(words: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """``key=value`` words of a command without Hydra as a mapping, each key known and given once."""
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in known:
            raise InvalidInput(key, value if equals else word, nearest(key, list(known)))
        if not value or key in found or "\0" in value:
            raise InvalidInput(key, value, "a value, given once")
        refuse_hidden(key, value)
        found[key] = value
    return found


def refuse_several(base: Parameters, why: str) -> None:
    """Refuse several use cases, in a command that can show but one."""
    if len(base.usecases) > 1:
        raise InvalidInput("usecases", [case.name for case in base.usecases], f"one use case: {why}")
