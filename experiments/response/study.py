"""What bad data do to forecasts, measured: real forecasters on weekly demand with defects put in.

``python -m experiments.response`` measures it on generated demand, ``demand=FILE`` on a file of one's own, and fits the response
that the model uses, ``e = e_best (1 + a_missing missing + a_late late + a_map mismatch)``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from experiments.lab.config import take
from experiments.lab.presets import check_name, mark, save
from experiments.lab.storage import Store
from experiments.lab.study import Study, carry_out, digest_of_code, take_settings
from experiments.lab.tables import write_tables
from experiments.lab.work import Trials
from experiments.response import demand as demand_module
from experiments.response import files, forecasters, measure
from experiments.response.demand import YEAR, Demand
from experiments.response.files import CHOICES, LONG, MOST_CLOSED, OPTIONAL, Reading, read_demand
from experiments.response.fit import Response, check_missed, fit_response
from experiments.response.measure import ALSO, FITTED, ErrorRecorder, Measured, Measurement, settings_of
from experiments.response.printing import say, show
from experiments.response.tables import MEANINGS, as_preset, tables_of
from sim.schema import InvalidInput, Record, nearest

#: Measurements in a shard: a second or two of computing.
SHARD = 2


def response(values: dict[str, Any]) -> int:
    """Measure, fit, test on what was held out, print, and write the results folder."""
    settings = take_settings(values)
    save_as, file = take(values, "save_as", "text"), take(values, "demand", "text")
    replications = take(values, "replications", "count", 3, 1000)
    held_out = take(values, "held_out", "count", 1, replications - 2)
    tested, refit = take(values, "weeks_tested", "count", 13, 520), take(values, "refit", "count", 1, 520)
    years = take(values, "years", "text")
    if years not in ("drawn", "last"):
        raise InvalidInput("years", years, "drawn or last")
    levels = {name: defect_levels(name, values.pop(name)) for name in (*FITTED, *ALSO)}
    reading = reading_of(values, file)
    demand = demand_of(file, tested, reading)
    put_in = possible(levels, demand)
    tried = settings_of(put_in)
    configuration = {
        "demand": {"file": Path(file).name, "sha256": hashlib.sha256(Path(file).expanduser().read_bytes()).hexdigest()} if file else "generated",
        **{key: value for key, value in vars(reading).items() if value != getattr(Reading(), key)},
        **levels, "replications": replications, "held_out": held_out, "weeks_tested": tested, "refit": refit, "years": years,
        "seed": settings.seed, "save_as": save_as, "limit": settings.limit, "code": digest_of_code(demand_module, files, forecasters, measure),
    }  # fmt: skip
    check_name("forecast", save_as, mark("response", configuration))
    recorder = ErrorRecorder(demand, settings.seed, tested, refit, years == "drawn")
    items = [Measurement(setting, r) for r in range(replications) for setting in tried]
    work = Trials(recorder, items, SHARD, (settings.seed, settings.seed + replications - 1), settings.limit, "measurements")
    if demand is not None and not settings.dry_run:
        check_first(file, recorder, items[0])

    def fitted(store: Store) -> Response:
        found = Measured.of(store.runs(), tried)
        if found.replications < held_out + 2:
            raise InvalidInput("replications", found.replications, f"{held_out + 2} or more without a failed measurement; see the runs")
        check_missed(file, found)
        return fit_response(found, found.replications - held_out, settings.seed, nested=demand is None)

    def conclude(store: Store, work: Trials) -> None:
        fit = fitted(store)
        write_tables(store, work, tables_of(fit, Path(file).name or "generated demand"), MEANINGS)
        preset = as_preset(fit, configuration, file)
        if preset:
            store.text("forecast.yaml", preset)
        from sim.views.figures.response import response_figure

        response_figure(store.folder)

    def report(console: Console, store: Store) -> list[str]:
        written = [f"{name}.csv" for name in ("errors", "summary", "response", "checks", "joint")]
        fit = fitted(store)
        show(console, fit, demand, put_in, file)
        say(console, f"{len(tried)} settings × {replications} replications × {len(fit.measured.methods)} forecasters.")
        if not (store.folder / "forecast.yaml").is_file():
            say(console, "No preset was written: a defect adds more error than the model takes (at most 5), or one that is not finite.")
            return ["figure.png", *written]
        if save_as:
            save("forecast", save_as, (store.folder / "forecast.yaml").read_text(encoding="utf-8"))
            say(console, f"The fitted response is forecast={save_as} for all experiments: configs/forecast/{save_as}.yaml")
        return ["figure.png", *written, "forecast.yaml"]

    parts = [Path(file).stem if file else "generated", f"{replications}x", f"{tested}w"]
    return carry_out(Study("response", parts, work, configuration, conclude, report), settings)


def reading_of(values: dict[str, Any], file: str) -> Reading:
    """How the file is to be read; refused where there is none."""
    chosen = {name: take(values, name, "text") for name in CHOICES}
    for name, allowed in CHOICES.items():
        if chosen[name] not in allowed:
            raise InvalidInput(name, chosen[name], " or ".join(allowed))
    columns, closed = values.pop("columns"), take(values, "closed", "count", MOST_CLOSED, 366)
    unknown = [name for name in columns if name not in (*LONG, *OPTIONAL)] if isinstance(columns, dict) else []
    if unknown:
        raise InvalidInput(f"columns.{unknown[0]}", columns[unknown[0]], nearest(str(unknown[0]), [*LONG, *OPTIONAL]))
    reading = Reading(dict(Record("columns", choices=(*LONG, *OPTIONAL)).check("columns", columns)), closed=closed, **chosen)
    for name, value in vars(reading).items():
        if not file and value != getattr(Reading(), name):
            raise InvalidInput(name, value, "left out where demand is generated; it says how the file demand=FILE is read")
    return reading


def demand_of(file: str, tested: int, reading: Reading) -> Demand | None:
    """The demand of a file, long enough for two years of history and the weeks tested; None where it is generated."""
    needed = 2 * YEAR + tested
    if not file:
        if needed > 208:
            raise InvalidInput("weeks_tested", tested, f"a whole number from 13 to {208 - 2 * YEAR} where demand is generated")
        return None
    demand = read_demand(Path(file).expanduser(), needed, reading)
    check_sold(file, demand, tested)
    return demand


def possible(levels: dict[str, list[float]], demand: Demand | None) -> dict[str, list[float]]:
    """The defects that can be put in: of one brand, no item can be under a wrong one."""
    return {name: given for name, given in levels.items() if name != "mapping" or demand is None or len(demand.brands) > 1}


def check_first(file: str, recorder: ErrorRecorder, clean: Measurement) -> None:
    """Refuse a file that is forecast exactly before anything is written: the first replication without defects shows it."""
    table = recorder.tables([recorder.run(clean)])["runs"].to_pandas()
    check_missed(file, Measured.of(table, [clean.setting]))


def defect_levels(name: str, given: Any) -> list[float]:
    """One to six ascending levels of a defect."""
    whole, high = name == "late", 26 if name == "late" else 0.9 if name == "missing" else 1
    kinds: Any = int if whole else (int, float)
    allowed = f"one to six ascending {'whole numbers' if whole else 'shares'} above 0, at most {high}, such as " + (
        "[1,2,4]" if whole else "[0.1,0.3]"
    )
    if not isinstance(given, list) or not 1 <= len(given) <= 6:
        raise InvalidInput(name, given, allowed)
    if any(isinstance(v, bool) or not isinstance(v, kinds) or not 0 < v <= high for v in given) or sorted(set(given)) != given:
        raise InvalidInput(name, given, allowed)
    return given


def check_sold(file: str, demand: Demand, tested: int) -> None:
    """Refuse a file in which a brand sells nothing for as long as is tested: its error would have no size."""
    for b, name in enumerate(demand.brands):
        weekly = demand.sales[2 * YEAR :, demand.brand == b].sum(axis=1)
        if (np.convolve(weekly, np.ones(tested), "valid") <= 0).any():
            raise InvalidInput(file, f"brand {name} sells nothing for {tested} weeks", f"brands with sales within any {tested} weeks")
