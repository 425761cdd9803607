"""Libraries that are loaded when they are first used."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from sim.late import LateModule, late

#: What a command that only answers about itself must not wait for.
HEAVY = {"mesa.model", "numba", "pandas.core", "networkx.classes", "matplotlib.figure", "scipy.sparse", "jinja2"}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module ``written_late`` of some code, to be imported late; returns it."""
    monkeypatch.syspath_prepend(tmp_path)

    def module(code: str):
        (tmp_path / "written_late.py").write_text(code)
        late("written_late")
        import written_late

        return written_late

    yield module
    sys.modules.pop("written_late", None)


def test_a_late_module_is_executed_once_when_something_in_it_is_first_asked_for(module):
    written = module("import sys\nsys.loaded_late = getattr(sys, 'loaded_late', 0) + 1\nvalue = 7\n")
    try:
        assert isinstance(written, LateModule) and written.__spec__.name == "written_late" and not hasattr(sys, "loaded_late")
        values = []
        threads = [threading.Thread(target=lambda: values.append(written.value)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert values == [7] * 8 and sys.loaded_late == 1 and not isinstance(written, LateModule)
        with pytest.raises(AttributeError, match="written_late"):
            written.nothing  # noqa: B018
    finally:
        del sys.loaded_late


def test_a_late_module_that_cannot_be_loaded_says_so_each_time(module):
    written = module("import written_nowhere\n")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="written_nowhere"):
            written.value  # noqa: B018


@pytest.mark.parametrize("part", ["pandas.errors", "networkx.classes.graph", "scipy.special", "pyarrow.parquet", "mesa.experimental.devs"])
def test_a_part_of_a_late_package_may_be_imported_first(part):
    code = f"import experiments, sim, importlib; m = importlib.import_module({part!r}); hasattr(m, 'x'); print(len(dir(m)) > 9)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_what_is_loaded_or_not_installed_stays_as_it_is():
    before = sys.modules["pytest"]
    late("pytest", "written_nowhere", "written_nowhere.inside")
    assert sys.modules["pytest"] is before and "written_nowhere" not in sys.modules


@pytest.mark.parametrize("command", ["run", "compare", "sweep", "calibrate.study"])
def test_a_command_loads_little_before_it_has_work(command):
    """Its settings, help and errors are answered without the model, its pictures and its tables."""
    code = f"import sys, experiments.{command}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_a_run_loads_neither_pandas_nor_networkx():
    code = (
        "import sys, sim; sim.RolloutModel(enterprise='small', weeks=5, rng=1).run().outcome\n"
        "print(*sorted({'pandas.core', 'networkx.classes', 'scipy.spatial', 'matplotlib'} & sys.modules.keys()))\n"
        "import mesa, networkx, pandas\n"
        "print(mesa.discrete_space.Network.__name__, mesa.DataCollector.__name__, networkx.Graph.__name__, pandas.DataFrame.__name__)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "\nNetwork DataCollector Graph DataFrame\n"
