"""Presets are plain YAML: read as written, refused by file and line, and nothing in them is ever executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sim import InvalidInput, RolloutModel, presets
from sim.configuration import resolve
from sim.presets import DEFAULTS, LARGEST_FILE, available, load, read_yaml


@pytest.mark.parametrize(
    ("group", "name", "near"),
    [
        ("strategy", "model-frist", "model_first"),
        ("maturity", "hihg", "high"),
        ("enterprise", "smal", "small"),
        ("network", "smallworld", "small_world"),
        ("forecast", "step", "steep"),
    ],
)
@pytest.mark.fault("configuration", "unknown preset", "refused, the nearest one named")
def test_unknown_presets_are_refused_with_the_nearest_one(group, name, near):
    with pytest.raises(InvalidInput) as error:
        RolloutModel(**{group: name})
    assert (error.value.key, error.value.value) == (group, name) and near in error.value.allowed


@pytest.mark.parametrize("name", ["", "../strategy/balanced", "/etc/passwd", "balanced.yaml", "Balanced ", 5, ["balanced"], True])
@pytest.mark.fault("configuration", "preset names that are paths, empty, no text", "refused in one line")
def test_a_preset_is_a_plain_name(name):
    with pytest.raises(InvalidInput, match="balanced") as error:
        RolloutModel(strategy=name)
    assert error.value.key == "strategy" and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "a" * 5000], ids=["null", "surrogate", "long"])
@pytest.mark.fault("configuration", "preset names no file can have", "refused in one line")
def test_a_preset_is_a_name_that_a_file_can_have(name):
    with pytest.raises(InvalidInput):
        RolloutModel(strategy=name)


# --------------------------------------------------------------------------- YAML


def parsed(folder: Path, text: str | bytes) -> Any:
    path = folder / "ours.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path)


#: What is refused: text, line, a word of the message.
UNSAFE = {
    "an alias": ("cadence: 4\nwave: *a\n", 2, "alias"),
    "an anchor": ("cadence: 4\nwave: &a 1\n", 2, "anchor"),
    "an anchor in a list": ("listed: [&a x]\n", 1, "anchor"),
    "an anchored mapping": ("effort: &a\n  pilot: 1\n", 1, "anchor"),
    "a python tag": ('name: !!python/object/apply:os.system ["true"]\n', 1, "tag"),
    "a plain tag": ("cadence: !!int 4\n", 1, "tag"),
    "a tag of nobody's": ("cadence: ! 4\n", 1, "tag"),
    "a merge": ("<<: {cadence: 4}\n", 1, "<<"),
    "a key twice": ("cadence: 4\nwave: 1\ncadence: 5\n", 3, "cadence"),
    "a key twice, deeper": ("effort:\n  pilot: {model: 1,\n    model: 1}\n", 3, "model"),
    "a key twice, differently": ('"1": 4\n1: 5\n', 2, "1"),
    "octal": ("cadence: 010\n", 1, "010"),
    "hexadecimal": ("cadence: 0x10\n", 1, "0x10"),
    "binary": ("cadence: 0b10\n", 1, "0b10"),
    "base 60": ("cadence: 12:30:45\n", 1, "12:30:45"),
    "base 60, short": ("cadence: 1:30\n", 1, "1:30"),
    "a date": ("name: 2024-02-01\n", 1, "2024-02-01"),
    "yes": ("name: x\npilot: yes\n", 2, "yes"),
    "no": ("order: no\n", 1, "no"),
    "off": ("order: off\n", 1, "off"),
    "a key that is no": ("no: 1\n", 1, "no"),
    "a number that becomes zero": ("wave: 0.1\ncadence: -12.5e-400\n", 2, "-12.5e-400"),
    "a number that loses its digits": ("wave: 1.2345678e-320\n", 1, "1.2345678e-320"),
    "infinity": ("wave: .inf\n", 1, ".inf"),
    "not a number": ("wave: .nan\n", 1, ".nan"),
    "half a list": ("name: x\nlisted: [a, b\n", 2, "expected"),
    "half a mapping": ("effort: {pilot: {model: 0.5\n", 1, "expected"),
    "half a text": ('name: x\ndescription: "half\n', 2, "end of stream"),
    "two documents": ("name: x\n---\nname: y\n", 2, "another document"),
    "a tab": ("name: x\n\twave: 1\n", 2, "cannot start"),
    "a wrong indent": ("name: x\n  wave: 1\n", 2, "mapping values"),
    "a key that is a list": ("? [a]\n: 1\n", 1, "unhashable"),
}


@pytest.mark.parametrize("fault", UNSAFE)
@pytest.mark.fault(
    "files", "YAML: tags, aliases, anchors, merges, repeated keys, octal, base 60, no, dates, halves", "refused with file and line"
)
def test_yaml_that_is_not_plain_is_refused_with_file_and_line(fault, tmp_path):
    text, line, word = UNSAFE[fault]
    with pytest.raises(InvalidInput) as error:
        parsed(tmp_path, text)
    # PyYAML counts an unfinished file's end as a line of its own or not
    assert error.value.key in {f"{tmp_path / 'ours.yaml'}, line {n}" for n in (line, line + (fault.startswith("half")))}
    assert word in str(error.value) and "\n" not in str(error.value)


def test_a_mapping_merged_once_is_not_called_twice(tmp_path):
    with pytest.raises(InvalidInput) as error:
        parsed(tmp_path, "<<: {cadence: 4}\n")
    assert "twice" not in str(error.value)


UNBOUNDED = {
    "underscores": "cadence: 1__0\n",
    "an underscore at the end": "cadence: 1_\n",
    "an underscore before the point": "wave: 1_.5\n",
    "thousands of digits": f"cadence: {'9' * 5000}\n",
    "deep lists": "listed: " + "[" * 3000,
    "deep mappings": "{a: " * 3000,
}


@pytest.mark.parametrize("fault", UNBOUNDED)
@pytest.mark.fault("files", "YAML: thousands of digits or levels", "refused with the file")
def test_yaml_that_python_cannot_read_is_refused_with_the_file(fault, tmp_path):
    with pytest.raises(InvalidInput) as error:
        parsed(tmp_path, UNBOUNDED[fault])
    assert str(tmp_path / "ours.yaml") in error.value.key and "\n" not in str(error.value)


@pytest.mark.fault("files", "YAML with Python code", "refused, not executed")
def test_a_python_tag_is_not_executed(tmp_path):
    mark = tmp_path / "executed"
    with pytest.raises(InvalidInput, match="tag"):
        parsed(tmp_path, f'name: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ["{mark}"]]\n')
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "where", "word"),
    [
        (b"#" * (LARGEST_FILE + 1), "", "at most 65536 bytes"),
        (b"name: \xe9\n", ", byte 6", "UTF-8"),
        ("name: é\n".encode("utf-16"), ", byte 0", "UTF-8"),
        (b"name: a\0b\n", "", "special characters"),
    ],
)
@pytest.mark.fault("files", "YAML of another encoding, too large, with NUL", "refused with the file")
def test_files_that_are_no_text_are_refused(content, where, word, tmp_path):
    with pytest.raises(InvalidInput) as error:
        parsed(tmp_path, content)
    assert error.value.key == f"{tmp_path / 'ours.yaml'}{where}" and word in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "none.yaml"])
def test_what_is_no_file_is_refused(name, tmp_path):
    with pytest.raises(InvalidInput, match=r"^file: .* can be read") as error:
        read_yaml(tmp_path / name)
    assert (error.value.key, error.value.value) == ("file", str(tmp_path / name))


@pytest.mark.fault("files", "a preset cut off anywhere", "read as what is there, or refused")
def test_every_beginning_of_a_file_is_read_or_refused(tmp_path, record_property):
    """A file cut short by a full disk or a broken copy: never a traceback."""
    whole = (presets.CONFIGS / "strategy" / "balanced.yaml").read_bytes()
    cut_short = 0
    record_property("injected", len(range(0, len(whole), 11)))
    for length in range(0, len(whole), 11):
        try:
            parsed(tmp_path, whole[:length])
        except InvalidInput as error:
            assert "ours.yaml" in error.key
            cut_short += 1
    assert cut_short > 5


def test_plain_yaml_is_read_as_it_is_written(tmp_path):
    assert parsed(tmp_path, "\ufeffa: 1\n") == {"a": 1}  # a byte order mark is no character of the first key
    text = "a: -1.5e-3\nb: .5\nc: true\nd: False\ne: 'yes'\nf: \"010\"\ng:\nh: [x, 12_000]\ni: Österreich\nj: on time\n"
    assert parsed(tmp_path, text) == {
        "a": -0.0015, "b": 0.5, "c": True, "d": False, "e": "yes", "f": "010", "g": None, "h": ["x", 12000], "i": "Österreich", "j": "on time",
    }  # fmt: skip
    assert parsed(tmp_path, b"#" * LARGEST_FILE) is None


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "", "5\n", "just words\n"])
def test_a_preset_that_is_no_mapping_is_refused_with_its_file(text, tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "CONFIGS", tmp_path)
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "ours.yaml").write_text(text)
    with pytest.raises(InvalidInput, match="mapping") as error:
        load("strategy", "ours")
    assert error.value.key == str(tmp_path / "strategy" / "ours.yaml")


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in DEFAULTS for name in available(group)])
def test_every_preset_sets_what_it_says(group, name):
    p = getattr(resolve({group: name}, {}), group)
    for key, value in load(group, name).items():
        if not isinstance(value, Mapping):
            assert getattr(p, key) == value
