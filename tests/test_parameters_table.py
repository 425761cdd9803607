"""The table of parameters that a command prints."""

from __future__ import annotations

import pandas as pd

from experiments import parameters
from sim.parameters import RECORDS


def test_the_parameter_table_lists_everything(capsys):
    parameters.main(["--format", "csv"])
    table = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out), keep_default_na=False)
    assert table["parameter"].tolist() == list(RECORDS)
    assert set(table["source"]) <= {"documented", "measured", "calibrated", "judged", "choice"}
    parameters.main(["--format", "markdown"])
    assert capsys.readouterr().out.count("\n") == len(table) + 2
