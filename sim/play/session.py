"""The state of one browser session: a scenario, one model per strategy, and where one looks. It knows no web library.

Everything a browser sends ends in :meth:`Session.change`, :meth:`Session.go` or :meth:`Session.look`, and is checked there:
what cannot be used raises :class:`InvalidInput` and changes nothing. Models are small and fast, so going back, and moving
a lever, run the same luck anew from week 0 up to the week that is shown.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from sim import population as populations
from sim.bottleneck import Bottleneck
from sim.configuration import resolve, vary
from sim.names import override
from sim.parameters import BUCKETS, CAPABILITIES, Parameters
from sim.play.levers import FILES, LEVERS, MINE, MOST_PLANNERS, MOST_STRATEGIES, MOST_WEEKS, enterprises, networks
from sim.presets import DEFAULTS, available, load
from sim.schema import InvalidInput, nearest
from sim.state import LIVE, STAGES, Sizes, team_means, ties_inside, unit_means

if TYPE_CHECKING:
    from sim.model import RolloutModel

#: Weekly measures that the curves show.
CURVES = ("reliance", "users_using", "trust", "units_live", "cumulative_net", "support_ratio")
EFFORT = ("support", *BUCKETS)
MOST_EVENTS = 80
#: The date that files of an export carry: the same run gives the same bytes.
NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Scenario:
    """What is simulated. ``levers`` hold only what was moved, by dotted parameter.

    ``population`` is that of which the organisation of the seed is shown, with its own values but for the levers that were moved.
    ``folder`` holds the files of an organisation that whoever started the page offers besides the presets; visitors cannot name one.
    """

    strategies: tuple[str, ...] = ("integration_first", "model_first")
    enterprise: str = "article"
    maturity: str = "middle"
    network: str = "blocks"
    population: str = "calibrated"
    seed: int = 2  # the first organisation whose pilots pass in their first year
    weeks: int = 260
    levers: Mapping[str, float] = field(default_factory=dict)
    folder: str = ""

    def enterprises(self) -> list[str]:
        """What can be chosen: the organisation of the folder, and presets."""
        return [FILES, *enterprises()] if self.folder else enterprises()

    def populations(self) -> list[str]:
        """What can be chosen: populations, one exact organisation among them, and :data:`MINE` where there is a folder."""
        return [name for name in available("population") if name != MINE or self.folder]

    def checked(self) -> Scenario:
        """The same with plain types, or :class:`InvalidInput` for what the page does not offer."""
        names = self.strategies
        if not isinstance(names, list | tuple) or not 1 <= len(names) <= MOST_STRATEGIES or len(set(map(str, names))) < len(names):
            raise InvalidInput("strategies", names, f"one to {MOST_STRATEGIES} strategies without repetition")
        groups: list[tuple[str, Any, list[str]]] = [
            ("strategy", names, available("strategy")),
            ("enterprise", [self.enterprise], self.enterprises()),
            ("maturity", [self.maturity], available("maturity")),
            ("network", [self.network], networks()),
            ("population", [self.population], self.populations()),
        ]
        for group, values, known in groups:
            for value in values:
                if not isinstance(value, str) or value not in known:
                    raise InvalidInput(group, value, nearest(str(value)[:100], known))
        seed, weeks = _whole("seed", self.seed, 0, (1 << 53) - 1), _whole("weeks", self.weeks, 1, MOST_WEEKS)
        if not isinstance(self.levers, Mapping):
            raise InvalidInput("levers", self.levers, "a mapping of parameters to numbers")
        levers = {}
        for name in LEVERS:  # in their order, so that the same scenario is the same text
            if name in self.levers:
                levers[name] = LEVERS[name].checked(self.levers[name])
        unknown = [str(name)[:100] for name in self.levers if name not in LEVERS]
        if unknown:
            raise InvalidInput(unknown[0], self.levers.get(unknown[0], ""), nearest(unknown[0], list(LEVERS)))
        if self.enterprise == FILES and "enterprise.units" in levers:
            raise InvalidInput("enterprise.units", levers["enterprise.units"], "the units of the files, and no other number")
        result = replace(self, strategies=tuple(names), seed=seed, weeks=weeks, levers=levers)
        size = result.parameters(result.strategies[0]).enterprise
        if self.enterprise != FILES and size.units * size.teams * size.users > MOST_PLANNERS:
            raise InvalidInput(
                "enterprise.units", size.units, f"at most {MOST_PLANNERS:,} planners on the page; experiments.run takes more"
            )
        return result

    def parameters(self, strategy: str) -> Parameters:
        """The complete parameters under one of the strategies."""
        return vary(self.usual(strategy), self.drawn(strategy))

    def usual(self, strategy: str) -> Parameters:
        """What the organisation of the seed departs from: the presets, with the levers that were moved."""
        files = {"enterprise.folder": self.folder} if self.enterprise == FILES else {}
        return resolve(self._groups(strategy), {"weeks": self.weeks, **files, **self.levers})

    def drawn(self, strategy: str) -> dict[str, Any]:
        """What the organisation of the seed has of its own, the same under every strategy; nothing where there is one exact organisation."""
        population, base = populations.read(self.population, load("population", self.population)), self.usual(strategy)
        if population is None:
            return {}
        given = populations.given_in(base, {**DEFAULTS, **self._groups(strategy)}, list(self.levers))
        return population.organisation(self.seed, base, self.maturity, given)

    def _groups(self, strategy: str) -> dict[str, str]:
        return {"strategy": strategy, "enterprise": self.enterprise, "maturity": self.maturity, "network": self.network}

    def whose(self) -> tuple[str, str]:
        """Whose runs these are, and what sets that organisation apart."""
        first = self.strategies[0]
        drawn = self.drawn(first)
        name = self.population if drawn else ""
        return populations.whom(name, self.seed, self.maturity), populations.departures(drawn, self.usual(first), 2)

    def as_yaml(self) -> str:
        """An experiment preset for ``experiments.compare``: plain values, in which nothing can be executed."""
        files = {"enterprise": {"folder": self.folder}} if self.enterprise == FILES else {}
        groups = {"enterprise": self.enterprise, "network": self.network, "population": self.population}
        content: dict[str, Any] = {
            "defaults": [{f"override /{group}": name} for group, name in groups.items()],
            **files,
            "usecases": ["demand"],
            "strategies": list(self.strategies),
            "maturities": [self.maturity],
            "seed": self.seed,
            "weeks": self.weeks,
            "changes": dict(self.levers),
        }
        given: dict[str, Any] = {
            **groups,
            **({"enterprise.folder": self.folder} if files else {}),
            "maturity": self.maturity,
            "strategy": self.strategies[0],
        }
        given |= {"usecases": ["demand"], "seed": self.seed, "weeks": self.weeks, **self.levers}
        head = (
            "# @package _global_\n"
            "# Saved by the live page. Put it into configs/experiment/, say as mine.yaml, and compare on many runs:\n"
            "#   uv run python -m experiments.compare experiment=mine\n"
            "# The very run that the page showed, for its first strategy:\n"
            f"#   uv run python -m experiments.run {' '.join(override(name, value) for name, value in given.items())}\n"
        )
        return head + yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=120)


def _whole(key: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)  # browsers know one kind of number
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(key, value, f"a whole number from {low} to {high}")
    return value


class Session:
    """One visitor's models.

    Attributes:
        scenario: what is simulated.
        models: one per strategy, all at the same week and with the same luck.
        sizes: of the enterprise; no strategy changes them.
        organisation: whose runs these are, and what sets it apart.
        shown: the strategy that the map, effort, readiness and events show.
        opened: row of the unit that is open on the map, or None.
    """

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.opened: int | None = None
        self._begin((scenario or Scenario()).checked(), 0)
        self.shown = self.scenario.strategies[0]

    def _begin(self, scenario: Scenario, week: int) -> None:
        from sim.model import RolloutModel  # takes seconds, which the server of the page has no need to wait

        models = [RolloutModel(parameters=scenario.parameters(name), rng=scenario.seed) for name in scenario.strategies]
        if scenario.enterprise == FILES:
            few_enough(scenario.folder, len(models[0].state.users))  # the files may have changed since the page was started
        self.organisation = scenario.whose()
        self.scenario, self.models = scenario, models
        self.sizes = Sizes.of(models[0].state)
        self._advance(week)

    def _advance(self, week: int) -> None:
        for model in self.models:
            while model.week < week:
                model.step()

    @property
    def week(self) -> int:
        """Weeks done."""
        return self.models[0].week

    @property
    def model(self) -> RolloutModel:
        """The model of the strategy that is shown."""
        return self.models[self.scenario.strategies.index(self.shown)]

    def change(self, **changes: Any) -> None:
        """Another scenario, with the same luck up to the same week."""
        known = [name for name in Scenario.__dataclass_fields__ if name != "folder"]
        for name, value in changes.items():
            if name not in known:
                raise InvalidInput(str(name)[:100], value, nearest(str(name)[:100], known))
        if changes.get("enterprise") == FILES and "levers" not in changes:  # its units are those of the files
            changes["levers"] = {name: value for name, value in self.scenario.levers.items() if name != "enterprise.units"}
        scenario, week = replace(self.scenario, **changes).checked(), self.week
        self._begin(scenario, min(week, scenario.weeks))
        if self.shown not in scenario.strategies:
            self.shown = scenario.strategies[0]
        if self.opened is not None and self.opened >= len(self.sizes.names):
            self.opened = None

    def go(self, week: Any) -> None:
        """Show the state after ``week`` weeks."""
        week = _whole("week", week, 0, self.scenario.weeks)
        if week < self.week:
            self._begin(self.scenario, week)
        else:
            self._advance(week)

    def step(self, weeks: Any = 1) -> None:
        """Some weeks on, up to the horizon."""
        self.go(min(self.week + _whole("weeks", weeks, 1, MOST_WEEKS), self.scenario.weeks))

    def look(self, shown: Any = None, opened: Any = -1) -> None:
        """Show another strategy, or open a unit by its row; None closes it."""
        if shown is not None:
            if shown not in self.scenario.strategies:
                raise InvalidInput("shown", shown, "one of " + ", ".join(self.scenario.strategies))
            self.shown = shown
        if opened != -1:
            self.opened = None if opened is None else _whole("unit", opened, 0, len(self.sizes.names) - 1)

    def bottleneck(self, model: RolloutModel) -> Bottleneck | None:
        """What holds a model's rollout back now; None before its first week."""
        if model.week == 0:
            return None
        return model.bottleneck()

    def view(self) -> dict[str, Any]:
        """What the page shows, as plain values and arrays: nothing in it can change a model."""
        model, week = self.model, self.week
        state, last = model.state, max(week - 1, 0)
        record = state.unit_weekly[last]
        strategies = []
        for name, other in zip(self.scenario.strategies, self.models, strict=True):
            rows, found = other.state.weekly[:week], self.bottleneck(other)
            strategies.append(
                {
                    "name": name,
                    "description": other.parameters.strategy.description,
                    "curves": {key: rows[key].astype(float) for key in CURVES},
                    "constraint": found.constraint if found else "",
                    "sentence": found.sentence if found else other.parameters.strategy.description,
                    "held": found.held if found else {},
                }
            )
        users, teams, units = state.users, state.teams, state.units
        view: dict[str, Any] = {
            "week": week,
            "scenario": self.scenario,
            "shown": self.shown,
            "opened": self.opened,
            "strategies": strategies,
            "organisation": self.organisation,
            "planners": len(users),
            "stage": [STAGES[k] for k in units["stage"]],
            "live": int((units["stage"] == LIVE).sum()),
            "reliance": unit_means(state, "reliance"),
            "trust": unit_means(state, "trust"),
            "team_reliance": team_means(state, "reliance"),
            "readiness": units["readiness"].copy(),
            "core": state.firm["core"][0].copy(),
            "sponsorship": record["sponsorship"].copy() if week else units["sponsorship"].copy(),
            "effort": {name: state.weekly[f"effort_{name}"][:week].copy() for name in EFFORT},
            "events": [(int(w), kind, words) for w, kind, words in self.events()],
            "capabilities": CAPABILITIES,
            "given": self.given(),
        }
        if self.opened is not None:
            first, stop = int(teams["first"][units["first"][self.opened]]), int(teams["last"][units["last"][self.opened] - 1])
            view["people"] = {name: users[name][first:stop].copy() for name in ("reliance", "trust", "used", "champion")}
            view["ties"] = ties_inside(state, self.opened)
        return view

    def events(self) -> list[tuple[int, str, str]]:
        """The latest events of the strategy shown, the last one first: week, kind, words."""
        frame = self.model.events.tail(MOST_EVENTS)[::-1]
        return list(zip(frame["week"], frame["event"], frame["words"], strict=True))

    def export(self) -> bytes:
        """Everything about the runs as a ZIP file: tables as CSV, outcomes as JSON, the scenario as YAML.

        Raises:
            InvalidInput: before the first week, when there is nothing to export.
        """
        if self.week == 0:
            raise InvalidInput("export", "week 0", "a run of at least one week: press Step or Play first")
        files = {"scenario.yaml": self.scenario.as_yaml()}
        for name, model in zip(self.scenario.strategies, self.models, strict=True):
            for table, frame in (("weekly", model.weekly), ("units", model.units), ("events", model.events)):
                files[f"{name}/{table}.csv"] = frame.to_csv(index=False, lineterminator="\n")
            files[f"{name}/outcome.json"] = json.dumps(model.outcome, indent=1) + "\n"
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, text in files.items():
                archive.writestr(zipfile.ZipInfo(path, NO_DATE), text, zipfile.ZIP_DEFLATED)
        return content.getvalue()

    def given(self) -> dict[str, float]:
        """What the files of the organisation decide: levers with the mean of their column, and ``network``."""
        if self.scenario.enterprise != FILES:
            return {}
        from sim.organisation import layout

        found = layout(self.model.parameters)  # kept since the model was made of it
        given = {name: value for name, value in found.decided.items() if name in LEVERS}
        return {"enterprise.units": len(found.unit_names), **given} | ({"network": 1} if found.ties is not None else {})

    def configured(self) -> dict[str, float]:
        """Each lever's value under the strategy shown: what the sliders stand at."""
        return {name: lever.read(self.model.parameters) for name, lever in LEVERS.items()}


def own(folder: str) -> Scenario:
    """The scenario with which a page begins that shows the organisation of a folder.

    Raises:
        InvalidInput: naming file and line that cannot be used, or where there are too many planners for the page.
    """
    from sim.organisation import layout

    if not folder or not folder.isprintable() or "${" in folder:  # what a saved scenario could not name
        raise InvalidInput(
            "--organisation", folder, "a folder with units.csv, teams.csv and users.csv, in printable characters, without ${"
        )
    scenario = Scenario(enterprise=FILES, folder=folder, population=MINE).checked()
    few_enough(folder, layout(scenario.parameters(scenario.strategies[0])).n_users)
    return scenario


def notes(scenario: Scenario) -> list[str]:
    """What was counted, dropped or not used as the scenario's organisation was read."""
    from sim.organisation import layout

    return layout(scenario.parameters(scenario.strategies[0])).notes if scenario.enterprise == FILES else []


def few_enough(folder: str, planners: int) -> None:
    """Refuse an organisation for whose weeks a visitor would have to wait."""
    if planners > MOST_PLANNERS:
        raise InvalidInput(folder, f"{planners:,} planners", f"at most {MOST_PLANNERS:,} on the page; experiments.run takes more")
