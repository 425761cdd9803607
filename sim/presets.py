"""Named presets: the YAML files in ``configs/``, read as data.

A file of the group ``strategy`` (or ``maturity``, ``enterprise``, ``network``, ``forecast``, ``usecase``) is a
mapping of parameter names to plain values. Nothing in it is ever executed. How they become parameters: :mod:`sim.configuration`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from sim.schema import NOT_ZERO, InvalidInput, nearest, vanishes

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
GROUPS = ("enterprise", "maturity", "network", "strategy", "forecast")
DEFAULTS = {"enterprise": "article", "maturity": "middle", "network": "blocks", "strategy": "integration_first", "forecast": "measured"}
LARGEST_FILE = 64 * 1024


class _PlainLoader(yaml.SafeLoader):
    """YAML with nothing clever in it: no tags, no aliases, no repeated keys, no octal or base-60 numbers."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "an alias", self.peek_event().start_mark)
        event = self.peek_event()
        if getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(None, None, "an anchor", event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.constructor.ConstructorError(None, None, f"the tag {event.tag}", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        keys = [key.value for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i] or key == "<<":
                problem = "a merge (<<)" if key == "<<" else f"the key {key} twice"
                raise yaml.constructor.ConstructorError(None, None, problem, node.value[i][0].start_mark)
        return super().construct_mapping(node, deep)


_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)(\.[0-9]*)?([eE][-+]?[0-9]+)?$|[-+]?\.[0-9]+([eE][-+]?[0-9]+)?$")


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    text = node.value
    if text in ("true", "True", "false", "False"):
        return text in ("true", "True")
    if text in ("", "~", "null"):
        return None
    if _NUMBER.match(text) and len(text) <= 400:  # Python refuses to read numbers of thousands of digits
        if vanishes(text):
            raise yaml.constructor.ConstructorError(None, None, f"{text} (write {NOT_ZERO})", node.start_mark)
        return int(text) if re.fullmatch(r"[-+]?[0-9_]+", text) else float(text)
    mark = node.start_mark
    raise yaml.constructor.ConstructorError(None, None, f"{text} (write a plain number, true, false or a quoted text)", mark)


_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))  # 1e-3, as Hydra reads it
for _tag in ("bool", "int", "float", "null", "timestamp", "merge", "value"):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _scalar)


def read_yaml(path: Path) -> Any:
    """Parse a small plain YAML file; :class:`InvalidInput` names file and line."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidInput(str(path), path.stat().st_size, f"a file of at most {LARGEST_FILE} bytes")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}, byte {error.start}", error.object[error.start : error.start + 4], "UTF-8 text") from None
    except OSError as error:
        raise InvalidInput("file", str(path), f"a file that can be read ({error.strerror or error})") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> Any:
    """Parse plain YAML; :class:`InvalidInput` names ``where`` it stands and the line."""
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a subclass of SafeLoader)
    except RecursionError:
        raise InvalidInput(where, "hundreds of levels", "plain YAML, a few levels deep") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"{where}{line}", getattr(error, "problem", str(error)), "plain YAML") from None


#: One word for files, command lines and YAML: nothing that either takes for a number, a flag, true, false or nothing.
NAME = re.compile(r"(?!(?:true|false|yes|no|on|off|null|none|nan|inf)\Z)[a-z][a-z0-9_-]{0,99}", re.IGNORECASE | re.ASCII)


def check_name(key: str, name: str) -> None:
    """Refuse a name that no preset of any group can have; the message names ``key``."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidInput(key, name, "a name of 1 to 100 letters, digits, _ and -, a letter first, and not true, no, null or the like")


def available(group: str) -> list[str]:
    """Names of the presets of a group: the files in its folder."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def load(group: str, name: str) -> dict[str, Any]:
    """The values of one preset, unchecked beyond being plain YAML."""
    if name not in available(group):
        raise InvalidInput(group, name, nearest(str(name), available(group)))
    check_name(group, name)
    path = CONFIGS / group / f"{name}.yaml"
    return dict(_cached(path, changed(group, name)))


@lru_cache(maxsize=256)
def _cached(path: Path, _changed: int) -> Mapping[str, Any]:
    values = read_yaml(path)
    if not isinstance(values, Mapping):
        raise InvalidInput(str(path), values, "a mapping of parameter names to values")
    values = dict(values)
    if path.parent.name == "strategy":
        values.setdefault("name", path.stem)
    return values


def changed(group: str, name: str) -> int:
    """When the file of a preset last changed [ns]; 0 where there is none."""
    try:
        return os.stat(f"{CONFIGS}/{group}/{name}.yaml").st_mtime_ns  # noqa: PTH116  (a path object costs more than the call)
    except (OSError, ValueError):  # ValueError: a name no file can have
        return 0
