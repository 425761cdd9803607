"""The way in: what is refused in one line, and that nothing in a configuration is executed."""

from __future__ import annotations

import os
import shutil

import pytest

from experiments.lab import config as entry
from sim import InvalidInput, presets

SMALL = ["enterprise=small", "weeks=40"]
REFUSED = {
    "unknown key, the nearest named": ("run", ["trust.los=0.1"], ["trust.los", "0.1", "trust.loss"]),
    "unknown strategy, the nearest named": ("run", ["strategy=model_frist"], ["strategy", "model_frist", "model_first"]),
    "unknown strategy to compare": ("compare", ["strategies=[model_frist]"], ["model_frist", "model_first"]),
    "unknown maturity to compare": ("compare", ["maturities=[hihg]"], ["hihg", "high"]),
    "unknown experiment": ("run", ["experiment=foo"], ["experiment", "foo", "where_model_first_wins"]),
    "a key of another experiment": ("compare", ["strategy=model_first"], ["strategy", "strategies"]),
    "NaN": ("run", ["trust.loss=nan"], ["trust.loss", "nan", "0 to 1"]),
    "infinity": ("run", ["value.worth=inf"], ["value.worth", "inf"]),
    "negative": ("run", ["trust.loss=-1"], ["trust.loss", "-1", "0 to 1"]),
    "a probability of 1.2": ("run", ["platform.swan=1.2"], ["platform.swan", "1.2"]),
    "text for a number": ("run", ["trust.loss='0.1'"], ["trust.loss", "'0.1'"]),
    "true for a number": ("run", ["trust.loss=true"], ["trust.loss", "True"]),
    "octal": ("run", ["weeks=010"], ["weeks", "010"]),
    "base 60": ("run", ["weeks=12:30:45"], ["weeks", "12:30:45"]),
    "no": ("run", ["weeks=no"], ["weeks", "no"]),
    "null": ("run", ["trust.loss=null"], ["trust.loss", "None"]),
    "a fraction for a count": ("run", ["weeks=10.5"], ["weeks", "10.5"]),
    "a number for a group": ("run", ["trust=7"], ["trust", "7"]),
    "zero weeks": ("run", ["weeks=0"], ["weeks", "0"]),
    "zero units": ("run", ["enterprise.units=0"], ["enterprise.units", "0"]),
    "zero planners": ("run", ["enterprise.users=0"], ["enterprise.users", "0"]),
    "a billion planners": ("run", ["enterprise.units=10000", "enterprise.teams=1000", "enterprise.users=100"], ["1000000000", "GB"]),
    "shares over 1": ("run", ["strategy.effort.pilot.model=0.9"], ["strategy.effort.pilot", "add up to 1"]),
    "negative seed": ("run", ["seed=-1"], ["seed", "-1"]),
    "seed of text": ("compare", ["seed=abc"], ["seed", "abc"]),
    "one replication": ("compare", ["replications=1"], ["replications", "1", "2 to"]),
    "too many runs": ("compare", ["replications=100000"], ["replications", "100,000 runs"]),
    "a name where a list belongs": ("compare", ["maturities=low"], ["maturities", "low", "in brackets"]),
    "a name twice": ("compare", ["strategies=[balanced,balanced]"], ["strategies", "balanced"]),
    "an empty list": ("compare", ["strategies=[]"], ["strategies"]),
    "an unknown engine": ("run", ["engine=fast"], ["engine", "fast", "compiled"]),
    "an executable node": ("run", ["+trust._target_=os.system"], ["_target_"]),
    "an executable node in a mapping": ("run", ["trust={_target_:os.system}"], ["_target_"]),
    "interpolation of the environment": ("run", ["strategy.description=${oc.env:HOME}"], ["strategy.description", "plain values"]),
    "Hydra's own settings": ("run", ["hydra.run.dir=elsewhere"], ["hydra.run.dir"]),
    "Hydra's callbacks": ("run", ["+hydra.callbacks.x._target_=os.system"], ["hydra.callbacks"]),
    "another folder of configurations": ("run", ["--config-path=/tmp"], ["--config-path"]),
    "another folder, abbreviated": ("run", ["--config-p=/tmp"], ["--config-p"]),
    "another folder, in short": ("run", ["-cp", "/tmp"], ["-cp"]),
    "another folder, glued": ("run", ["-cd/tmp"], ["-cd"]),
    "another file, abbreviated": ("run", ["--config-n", "x"], ["--config-n"]),
    "a rerun": ("run", ["--experimental=x.pkl"], ["--experimental"]),
    "no seed": ("run", ["seed=null"], ["seed", "None"]),
    "an edge list that is not there (compare)": ("compare", ["network=edges", "replications=2"], ["network"]),
    "an organisation that is not there (compare)": ("compare", ["enterprise=from_files", "enterprise.folder=nowhere"], ["nowhere"]),
    "the folder one is in": ("run", ["output=others/.."], ["output"]),
    "a path too long": ("run", ["output=" + "a" * 300], ["output", "File name too long"]),
    "a home of nobody": ("run", ['output="~nouser/x"'], ["output", "home"]),
    "a folder with a manifest of something else": ("run", ["output=web"], ["output", "web"]),
    "a name twice in a mapping": ("run", ["trust={loss: 0.1, gain: 0.2, loss: 0.2}"], ["trust", "loss twice"]),
    "a change twice": ("compare", ["changes={trust.loss: 0.1, trust.loss: 0.2}"], ["changes", "trust.loss twice"]),
    "a name twice, deeper": ("run", ["strategy.effort={pilot: {model: 0.5, model: 0.6}}"], ["strategy.effort", "model twice"]),
    "a number that becomes zero": ("run", ["trust.loss=1e-400"], ["trust.loss", "'1e-400'", "0, or"]),
    "a number that loses its digits": ("compare", ["changes={trust.loss: 1e-320}"], ["changes", "'1e-320'"]),
    "a number that becomes zero, cast": ("run", ["trust.loss=float('1e-400')"], ["trust.loss", "1e-400"]),
    "a list among the changes": ("compare", ["changes={strategy.listed: [Brazil]}"], ["changes.strategy.listed", "Brazil", "no list"]),
    "titles among the changes": ("compare", ["changes={network.columns: {source: x}}"], ["changes.network.columns", "no list"]),
    "a flag between overrides": ("run", ["weeks=3", "--cfg", "job", "seed=1"], ["command line", "weeks=3 --cfg job seed=1", "between"]),
    "a flag without its value": ("run", ["weeks=3", "--cfg"], ["command line", "--cfg", "expected one argument"]),
    "an unknown flag between overrides": ("run", ["weeks=3", "-x", "seed=1"], ["command line", "'-x'"]),
    "a unit of nowhere that nothing reads": ("run", ["strategy.listed=[Nowhere]"], ["strategy.listed", "Nowhere", "Brazil"]),
    "a pilot of nowhere that nothing reads": ("run", ["strategy.pilot_unit=Nowhere"], ["strategy.pilot_unit", "Nowhere", "Brazil"]),
    "an output of a blank": ("run", ["output=' '"], ["output", "' '", "blank"]),
    "an output that ends with a blank": ("compare", ["output='mine /a'"], ["output", "'mine /a'", "blank"]),
    "an output that is shown as another": ("run", ["output='a\u202eb'"], ["output", "U+202E", "direction"]),
    "a description with what nobody sees": ("run", ["strategy.description='a\u200bb'"], ["strategy.description", "U+200B"]),
    **{f"{group}=null": ("run", [f"{group}=null"], [group, "None"]) for group in (*presets.GROUPS, "experiment")},
    **{f"{command}: experiment=null": (command, ["experiment=null"], ["experiment", "None"]) for command in ("compare", "sweep")},
    "an executor of nothing": ("compare", ["executor=null"], ["executor", "None", "serial"]),
    "a design of nothing": ("sweep", ["design=null"], ["design", "None", "lhs"]),
    "nothing among several": ("run", ["-m", "strategy=balanced,null"], ["strategy", "None", "balanced"]),
    "deleting a key": ("run", ["~trust"], ["trust"]),
    "half a list": ("run", ["trust.loss=[1"], ["[1"]),
    "no key at all": ("run", ["nonsense"], ["nonsense"]),
    "a folder of CSV files that is not there": ("run", ["enterprise=from_files", "enterprise.folder=nowhere"], ["nowhere"]),
    "an output that is a file": ("run", ["output=a_file"], ["output", "a_file"]),
    "an output with other things in it": ("run", ["output=others"], ["output", "others"]),
}


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.fault(
    "configuration",
    "the command line: unknown keys, executable nodes, interpolation, Hydra's own settings, wrong types",
    "refused in one line, exit code 2, nothing written",
)
def test_bad_input_is_one_line_with_exit_code_2_and_writes_nothing(fault, call, tmp_path):
    (tmp_path / "a_file").write_text("mine")
    (tmp_path / "others").mkdir()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text("{}")
    (tmp_path / "web" / "index.html").write_text("precious")
    (tmp_path / "others" / "thesis.txt").write_text("mine")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    experiment, arguments, said = REFUSED[fault]
    code, out, err = call(experiment, *arguments)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1, err
    assert len(err) < 500 and "Traceback" not in err
    for text in said:
        assert text in err
    assert sorted(str(p) for p in tmp_path.rglob("*") if p.name not in ("results", "run", "compare", "sweep")) == before
    assert (tmp_path / "a_file").read_text() == (tmp_path / "others" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "words", [["--cfg", "job", "weeks=3"], ["weeks=3", "--cfg", "job"], ["weeks=3", "seed=1", "-c", "job"]], ids=" ".join
)
def test_flags_stand_before_or_after_all_overrides(words, call):
    code, out, err = call("run", *words)
    assert code == 0 and err == "" and "weeks: 3" in out


HOSTILE = {
    "nothing": "",
    "a comment": "# later\n",
    "a number that becomes zero": "wave: 1e-400\n",
    "a target": "_target_: os.system\n",
    "a target below": "effort:\n  pilot: {_target_: os.system}\n",
    "a package of Hydra's": "# @package hydra\nrun: {dir: elsewhere}\n",
    "a package of the whole": "# @package _global_\ntrust: {loss: 0.1}\n",
    "a Hydra node": "hydra:\n  callbacks: {x: {_target_: os.system}}\n",
    "a defaults list": "defaults: [balanced]\n",
    "interpolation": "description: ${oc.env:HOME}\n",
    "a Python tag": "description: !!python/object/apply:os.system [id]\n",
    "an alias bomb": "a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a key twice": "cadence: 4\ncadence: 5\n",
    "an unknown key": "cadense: 4\n",
    "half a file": "effort: {pilot: {model: 0.5\n",
    "a list": "- 1\n- 2\n",
    "bytes": b"description: \xff\xfe\n",
}


@pytest.mark.parametrize("fault", HOSTILE)
@pytest.mark.fault("files", "strategy files with code, defaults, interpolation", "refused, nothing executed")
def test_hostile_strategy_files_are_refused_and_nothing_runs(fault, call, tmp_path, monkeypatch):
    configs = tmp_path / "configs"
    shutil.copytree(presets.CONFIGS, configs)
    text = HOSTILE[fault]
    (configs / "strategy" / "hostile.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setattr(presets, "CONFIGS", configs)
    monkeypatch.setattr(entry, "CONFIGS", configs)
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("executed"))
    code, _, err = call("run", *SMALL, "strategy=hostile")
    assert (code == 2 and "hostile" in err) or "cadense" in err
    assert call("compare", *SMALL, "strategies=[hostile]")[0] == 2
    assert err.count("\n") == 1 and not (tmp_path / "results").exists()


NAMES = ["123", "true", "No", "null", "nan", "-zz", "_zz", "my own", "v1.2", "a" * 101, "größe"]


NAMED = [*presets.GROUPS, "executor", "experiment"]


@pytest.mark.parametrize("group", NAMED)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.fault("files", "presets called 123, true, -zz, with blanks, dots or 101 characters", "refused by every command before a run")
def test_one_rule_for_the_names_of_presets(name, group, call, configs, tmp_path):
    (configs / group / f"{name}.yaml").write_text("description: x\n")
    commands = [("run", f"{group}='{name}'"), ("compare", f"strategies=['{name}']"), ("sweep", f"design.over=['{name}']")]
    command, choice = commands[(NAMES.index(name) + NAMED.index(group)) % 3]  # each has every name, and every group
    code, out, err = call(command, *SMALL, *([choice] if name.isascii() else []))
    assert (code, out) == (2, "") and err.count("\n") == 1 and f"{group}/{name}.yaml" in err and "a letter first" in err
    with pytest.raises(InvalidInput, match="a letter first"):
        presets.load(group, name)
    assert not (tmp_path / "results").exists()


def test_a_file_with_a_taken_name_raises():
    with pytest.raises(InvalidInput, match="experiment"):
        presets.load("experiment", "nothing_like_it")
