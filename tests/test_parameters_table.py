"""The table of parameters that a command prints."""

from __future__ import annotations

import pandas as pd

from experiments import parameters
from sim.parameters import RECORDS, UseCase
from sim.schema import walk


def test_the_parameter_table_lists_everything(capsys):
    parameters.main(["--format", "csv"])
    table = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out), keep_default_na=False)
    listed = table["parameter"]
    of_use_cases = listed.str.startswith("usecases.{name}.")
    assert listed[~of_use_cases].tolist() == list(RECORDS)
    assert listed[of_use_cases].str.removeprefix("usecases.{name}.").tolist() == [name for name, _ in walk(UseCase)]
    assert set(table["source"]) <= {"documented", "measured", "calibrated", "judged", "choice"}
    parameters.main(["--format", "markdown"])
    assert capsys.readouterr().out.count("\n") == len(table) + 2
