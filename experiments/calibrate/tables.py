"""What a calibration found: its tables, the preset it makes, and how they are printed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.calibrate.emulators import predictive
from experiments.calibrate.surveyed import Surveyed
from experiments.calibrate.targets import BOUND, PUBLISHED, TARGETS
from experiments.lab.designs import Factor
from experiments.lab.storage import Store
from sim.parameters import RECORDS
from sim.population import HYPER, PILOT, SPREAD, STRICTNESS

#: Draws of the posterior that a population keeps: so many that a comparison's organisations share each a few times.
KEPT = 120
UNITS = {SPREAD: "sd in logits and logs", STRICTNESS: "backing by the executive", PILOT: "weeks"}
MEANINGS = {
    "parameters.parameter": "fitted parameter", "parameters.unit": "its unit", "parameters.default": "its default",
    "parameters.prior_low": "lowest value of the uniform prior", "parameters.prior_high": "highest value of the uniform prior",
    "parameters.calibrated": "its value in the chosen parameter set",
    "parameters.posterior_low": "5% quantile of the posterior", "parameters.posterior_high": "95% quantile of the posterior",
    "parameters.narrowed": "1 less posterior standard deviation over prior's: 0 where the targets say nothing about it",
    "targets.target": "published number", "targets.words": "what it is", "targets.source": "who published it", "targets.published": "its value",
    "targets.model": "median of the posterior predictive distribution", "targets.model_low": "5% quantile", "targets.model_high": "95% quantile",
    "targets.inside": "published value inside the 90% interval, at the whole per cents that were published",
    "targets.bound": "whether anything above is as good",
    "targets.chosen": "its value in the chosen parameter set",
    **{target.name: target.words for target in TARGETS},
    "left_out.target": "published number", "left_out.words": "what it is", "left_out.published": "its value",
    "left_out.predicted": "median of what the other targets say about it", "left_out.predicted_low": "5% quantile",
    "left_out.predicted_high": "95% quantile", "left_out.bound": "whether anything above is as good",
    "left_out.inside": "published value inside the 90% interval of what the others say",
    "assumptions.assumption": "what is assumed of whom the surveys asked", "assumptions.inside": "figures inside the 90% interval under it",
    "coverage.parameter": "fitted parameter", "coverage.tests": "synthetic populations, each from a draw of the prior",
    "coverage.covered": "share of them whose 90% posterior interval holds the value they were made with; 0.9 where the method is right",
    "coverage.rank": "mean share of the posterior below that value; 0.5 where the method is right",
    "wave": "wave", "draws.chosen": "whether these are the chosen values",
    "waves.left": "share of the prior that no wave so far leaves out",
}  # fmt: skip


def sets_table(made: Sequence[Factor], unit: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
    """One row per parameter set: its values, from the unit cube [sets, d], and its outputs [sets, targets]."""
    frame = values_table(made, unit)
    return frame.join(pd.DataFrame(outputs, columns=[target.name for target in TARGETS]))


def values_table(made: Sequence[Factor], unit: np.ndarray) -> pd.DataFrame:
    """Values of the fitted parameters at positions in the unit cube, [sets, d]."""
    return pd.DataFrame({f.name: f.at(unit[:, j]) for j, f in enumerate(made)})


def inside(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which published numbers lie between such ends, at the whole per cents that were published; a bound has no end above, [targets]."""
    return (BOUND | (low.round(2) <= PUBLISHED)) & (high.round(2) >= PUBLISHED)


def targets_table(drawn: np.ndarray, chosen: np.ndarray, discrepancy: float, seed: int) -> pd.DataFrame:
    """One row per target: what the posterior predicts, from its draws' outputs [draws, targets], and what the chosen set comes to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nobody to ask in any draw, as of small populations none of which is past a pilot
        low, middle, high = np.nanquantile(predictive(drawn, discrepancy, seed), (0.05, 0.5, 0.95), axis=0)
    return pd.DataFrame(
        {
            "target": [target.name for target in TARGETS], "words": [target.words for target in TARGETS],
            "source": [target.source for target in TARGETS],
            "published": PUBLISHED, "model": middle, "model_low": low, "model_high": high,
            "inside": inside(low, high),
            "bound": BOUND,
            "chosen": chosen,
        }
    )  # fmt: skip


def left_out_table(drawn: np.ndarray) -> pd.DataFrame:
    """One row per target: what the others say about it, from draws [targets, draws], and whether what was published is inside."""
    low, middle, high = np.quantile(drawn, (0.05, 0.5, 0.95), axis=1)
    return pd.DataFrame(
        {
            "target": [target.name for target in TARGETS], "words": [target.words for target in TARGETS], "published": PUBLISHED,
            "predicted": middle, "predicted_low": low, "predicted_high": high,
            "inside": inside(low, high), "bound": BOUND,
        }
    )  # fmt: skip


def assumptions_table(made: Sequence[Factor], found: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """One row per assumption: which figures are inside under it, what is predicted of each, and each parameter's posterior median.

    Args:
        made: the fitted parameters.
        found: draws of the posterior in the unit cube [draws, d], and what they predict [draws, targets], by assumption.
    """
    rows = []
    for assumption, (unit, predicted) in found.items():
        low, high = np.quantile(predicted, (0.05, 0.95), axis=0)
        row: dict[str, Any] = {"assumption": assumption, "inside": int(inside(low, high)[~BOUND].sum())}
        row |= {target.name: float(value) for target, value in zip(TARGETS, np.median(predicted, axis=0), strict=True)}
        rows.append(row | {f.name: float(f.at(np.median(unit[:, j]))) for j, f in enumerate(made)})
    return pd.DataFrame(rows)


def coverage_table(made: Sequence[Factor], below: np.ndarray) -> pd.DataFrame:
    """One row per fitted parameter: how often the 90% interval holds the value that made a synthetic population; shares below it, [tests, d]."""
    held = (below > 0.05) & (below < 0.95)
    return pd.DataFrame(
        {"parameter": [f.name for f in made], "tests": len(below), "covered": held.mean(axis=0), "rank": below.mean(axis=0)}
    )


def parameters_table(made: Sequence[Factor], posterior: np.ndarray, chosen: np.ndarray) -> pd.DataFrame:
    """One row per fitted parameter: prior, posterior of draws in the unit cube [draws, d], and the chosen value [d]."""
    prior = 1 / np.sqrt(12)
    return pd.DataFrame(
        {
            "parameter": [f.name for f in made],
            "unit": [UNITS[f.name] if f.name in HYPER else RECORDS[f.name].unit for f in made],
            "default": [np.nan if f.name in HYPER else RECORDS[f.name].default for f in made],
            "prior_low": [f.low for f in made], "prior_high": [f.high for f in made],
            "calibrated": [float(f.at(chosen[j])) for j, f in enumerate(made)],
            "posterior_low": [float(f.at(np.quantile(posterior[:, j], 0.05))) for j, f in enumerate(made)],
            "posterior_high": [float(f.at(np.quantile(posterior[:, j], 0.95))) for j, f in enumerate(made)],
            "narrowed": 1 - posterior.std(axis=0) / prior,
        }
    )  # fmt: skip


def population_text(surveyed: Surveyed, usecases: Sequence[str], marked: str) -> str:
    """The population that was found, as a file of ``configs/population``."""
    sizes = ", ".join(f"{maturity}: [{least}, {most}]" for maturity, (least, most) in surveyed.use_cases.items())
    return (
        f"{marked}\n# Organisations that differ. The parameters that published figures leave open are drawn: the table beside this file.\n"
        f"usecases: [{', '.join(usecases)}]\nuse_cases: {{{sizes}}}  # how many an organisation takes on\n"
    )


def draws_text(posterior: pd.DataFrame, fixed: Mapping[str, float], marked: str) -> str:
    """Draws of a posterior as CSV, :data:`KEPT` of them, with what was not fitted about the population at its one value."""
    frame = posterior.iloc[:: max(1, len(posterior) // KEPT)].head(KEPT).assign(**fixed)
    return f"{marked}\n" + str(frame.to_csv(index=False, float_format="%.5g", lineterminator="\n"))


def short(value: float) -> str:
    """A number in three digits that count, and none in powers of ten."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}"


def otherwise(assumptions: pd.DataFrame, figures: pd.DataFrame, parameters: pd.DataFrame) -> Table:
    """What the fit comes to under other assumptions: medians of the figures, and the parameter whose median moves most."""
    width = (parameters["posterior_high"] - parameters["posterior_low"]).to_numpy()
    values = assumptions[list(parameters["parameter"])].to_numpy()
    moved = (values - values[0]) / width
    table = Table(title="The fit under other assumptions of whom the surveys asked: medians", title_justify="left")
    for head in ("", "inside", *(f"{value:.0%}" for value in figures["published"]), "moves most, in posterior intervals"):
        table.add_column(head, justify="right" if head else "left")
    for k, row in enumerate(assumptions.to_dict("records")):
        most = int(np.argmax(np.abs(moved[k])))
        words = f"{parameters['parameter'].iloc[most]} {moved[k, most]:+.2f}".replace("-", "−") if k else ""
        table.add_row(row["assumption"], f"{row['inside']} of {len(figures)}", *(f"{row[name]:.0%}" for name in figures["target"]), words)
    return table


def show(console: Console, store: Store) -> None:
    """Print the model against the published numbers, and what these say about the parameters."""
    targets, parameters, waves = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("targets", "parameters", "waves"))
    table = Table(title="Targets and the calibrated model, 90% posterior predictive interval", title_justify="left")
    for head in ("target", "published", "model", "inside", "width", "chosen"):
        table.add_column(head, justify="left" if head == "target" else "right")
    for _, row in targets.iterrows():
        model = f"{row['model']:.0%} [{row['model_low']:.0%}, {row['model_high']:.0%}]"
        table.add_row(
            row["words"], ("≥ " if row["bound"] else "") + f"{row['published']:.0%}", model,
            "yes" if row["inside"] else "no", f"{100 * (row['model_high'] - row['model_low']):.0f} points", f"{row['chosen']:.0%}",
        )  # fmt: skip
    console.print(table)
    table = Table(title="What the targets say about the parameters: posterior, 5% to 95%", title_justify="left")
    for head in ("parameter", "default", "prior", "posterior", "chosen", "narrowed by"):
        table.add_column(head, justify="left" if head == "parameter" else "right")
    for _, row in parameters.sort_values("narrowed", ascending=False).iterrows():
        table.add_row(
            row["parameter"], "–" if np.isnan(row["default"]) else short(row["default"]),
            f"{short(row['prior_low'])} to {short(row['prior_high'])}",
            f"{short(row['posterior_low'])} to {short(row['posterior_high'])}", short(row["calibrated"]), f"{max(0.0, row['narrowed']):.0%}",
        )  # fmt: skip
    console.print(table)
    left_out, coverage = (pd.read_parquet(store.folder / f"{name}.parquet") for name in ("left_out", "coverage"))
    figures = left_out[~left_out["bound"]]
    table = Table(title="Each figure as the others predict it, 90% interval", title_justify="left")
    for head in ("target", "published", "predicted", "inside"):
        table.add_column(head, justify="left" if head == "target" else "right")
    for _, row in figures.iterrows():
        predicted = f"{row['predicted']:.0%} [{row['predicted_low']:.0%}, {row['predicted_high']:.0%}]"
        table.add_row(row["words"], f"{row['published']:.0%}", predicted, "yes" if row["inside"] else "no")
    console.print(table)
    console.print(otherwise(pd.read_parquet(store.folder / "assumptions.parquet"), figures, parameters))
    least = coverage.sort_values("covered", kind="stable").iloc[0]
    console.print(
        f"{figures['inside'].sum()} of {len(figures)} figures lie inside what the others say. Of {least['tests']} synthetic populations with known "
        f"parameters the 90% intervals hold {coverage['covered'].mean():.0%} of the values, least often {least['parameter']} "
        f"({least['covered']:.0%}).",
        highlight=False,
    )
    left = ", ".join(f"{share:.2%}" for share in waves["left"])
    console.print(f"Share of the prior that is left after each wave: {left}.", highlight=False)
