"""Every parameter acts, in the direction theory says; every bad value is refused by name.

One row a parameter: two values, the measure closest to its mechanism, the sign of the change from
the low to the high value, and what else has to be set for it to act. Both values meet the same
enterprises and the same luck.
"""

from __future__ import annotations

import pickle

import networkx as nx
import numpy as np
import pytest

from sim import InvalidInput, RolloutModel
from sim.parameters import BUCKETS, CAPABILITIES, PHASES, from_mapping, listing
from sim.presets import load, read_yaml
from sim.state import ADJUSTED, LIVE, PILOT

SEEDS = range(6)
SIZE = {"units": 4, "teams": 3, "users": 6}
#: All units live from the second week on, whatever happens.
BUSY = {
    **load("strategy", "big_bang"),
    "gate_weeks": 0,
    "gate_improvement": -1.0,
    "gate_reliance": 0.0,
    "unit_reviews": 1000,
    "initiative_reviews": 1000,
}
#: Every unit onboards for ever: the roll-out never ends.
ONBOARDING = {**BUSY, "readiness_gate": 1.0}
FAILING = {"review.passing": 1.0, "review.floor": 1.0, "disturbance.leader": 0.0}
READY = {"maturity.readiness": 1.0, "platform.decay": 0.0}
NOBODY = {"utility.threshold": 20.0}

# --------------------------------------------------------------------------- measures of a finished run


def weekly(column):
    return lambda m: float(m.state.weekly[column].mean())


def last(column):
    return lambda m: float(m.state.weekly[column][-1])


def size(column):
    return lambda m: float(np.abs(m.state.weekly[column]).mean())


def now(table, column, how=np.mean):
    return lambda m: float(how(m.columns()[table][column]))


def log_spread(table, column):
    return lambda m: float(np.log(m.columns()[table][column]).std())


def on_time(m):
    rows = m.state.unit_weekly
    return float(rows["on_time"][np.isin(rows["stage"], (PILOT, LIVE))].mean())


def happened(*kinds):
    return lambda m: float(m.events["event"].isin(kinds).sum())


def outcome(key):
    return lambda m: float(m.outcome[key])


def is_class(name):
    return lambda m: float(m.outcome["outcome"] == name)


def gate_passed(m):
    return float(m.outcome["gate_week"] is not None)


def stopped_after(m):
    week = int(m.columns()["firm"]["stopped_week"][0])
    return float(week if week >= 0 else 10_000)


def adjusted(m):
    return float((m.columns()["users"]["choice"] == ADJUSTED).mean())


def degree(m):
    return float(np.diff(m.state.peers_first).mean())


def newcomers(m):
    return float((m.columns()["users"]["disposition"] != start(m)["users"]["disposition"]).mean())


def start(m):
    return RolloutModel(parameters=m.parameters, rng=m.seed_used).columns()


def at_start(table, column, how=np.mean):
    return lambda m: float(how(start(m)[table][column]))


def old_hands_threshold(m):
    users = start(m)["users"]
    return float(users["threshold"][users["experience"] > 10].mean())


def champions_together(m):
    rows = start(m)["users"]["champion"].reshape(12, 6)
    return float(np.sort(rows.sum(axis=1))[-4:].sum())


USING, TRUST = weekly("users_using"), weekly("trust")

# --------------------------------------------------------------------------- the table

TABLE = [
    # name, low, high, sign, measure, context
    ("weeks", 30, 60, +1, lambda m: len(m.weekly), {}),
    ("enterprise.units", 2, 4, +1, lambda m: len(m.state.units), {}),
    ("enterprise.teams", 2, 4, +1, lambda m: len(m.state.teams), {}),
    ("enterprise.users", 2, 4, +1, lambda m: len(m.state.users), {}),
    ("enterprise.spend", 1e5, 2e5, +1, size("value"), {}),
    ("enterprise.spend_spread", 0.0, 1.0, +1, log_spread("units", "spend"), {}),
    ("maturity.budget", 0.5, 3.0, +1, weekly("central_cost"), {}),
    ("maturity.completeness", 0.5, 0.95, +1, weekly("improvement"), {}),
    ("maturity.lateness", 0.1, 3.0, -1, on_time, {}),
    ("maturity.mismatch", 0.05, 0.8, -1, weekly("improvement"), {}),
    ("maturity.fragmentation", 0.0, 3.0, -1, weekly("readiness_integration"), {}),
    ("maturity.sponsorship", 0.2, 0.8, +1, weekly("sponsorship"), {}),
    ("maturity.fit", 0.2, 0.8, +1, USING, {}),
    ("maturity.trust", 0.2, 0.8, +1, TRUST, {}),
    ("maturity.readiness", 0.0, 0.5, +1, weekly("readiness_integration"), {}),
    ("maturity.core", 0.0, 0.9, +1, weekly("core_pipelines"), {}),
    ("maturity.unit_spread", 0.1, 1.0, +1, at_start("units", "completeness", np.std), {}),
    ("maturity.team_spread", 0.1, 1.5, +1, at_start("teams", "fit", np.std), {}),
    ("maturity.user_spread", 0.1, 1.5, +1, at_start("users", "trust", np.std), {}),
    ("network.kind", "blocks", "scale_free", +1, lambda m: np.diff(m.state.peers_first).max(), {"network.ties": 8}),
    ("network.team_ties", 1, 5, +1, degree, {}),
    ("network.unit_ties", 0, 4, +1, degree, {}),
    ("network.cross_ties", 0, 2, +1, degree, {}),
    ("network.ties", 2, 8, +1, degree, {"network.kind": "small_world"}),
    ("network.rewired", 0.0, 1.0, -1, lambda m: nx.average_clustering(m.network), {"network.kind": "small_world"}),
    ("forecast.best", 0.2, 0.4, -1, weekly("improvement"), {}),
    ("forecast.planner", 0.3, 0.5, +1, weekly("improvement"), {}),
    ("forecast.planner_spread", 0.0, 0.5, +1, log_spread("users", "skill"), {}),
    ("forecast.category_spread", 0.0, 0.6, +1, log_spread("teams", "category"), {}),
    ("forecast.missing", 0.0, 1.0, -1, weekly("improvement"), {}),
    ("forecast.late", 0.0, 0.5, -1, weekly("improvement"), {}),
    ("forecast.mapping", 0.0, 1.0, -1, weekly("improvement"), {}),
    ("forecast.missed", 0.0, 3.0, -1, on_time, {}),
    ("forecast.start", 0.5, 1.0, +1, weekly("quality"), {}),
    ("forecast.learning", 0.001, 0.02, +1, last("quality"), {}),
    ("forecast.retraining", 0.0, 0.5, +1, weekly("freshness"), {}),
    ("forecast.drift", 0.0, 0.02, -1, weekly("freshness"), {}),
    ("forecast.sudden", 0.0, 10.0, -1, weekly("freshness"), {}),
    ("forecast.sudden_size", 0.0, 0.5, -1, weekly("freshness"), {"forecast.sudden": 10.0}),
    ("forecast.variance", 0.0, 10.0, +1, now("teams", "noise"), {}),
    ("forecast.stale", 0.2, 0.9, +1, weekly("freshness"), {"forecast.drift": 0.1}),
    *[(f"platform.core_{c}", 20, 400, -1, weekly(f"core_{c}"), {}) for c in CAPABILITIES],
    *[(f"platform.local_{c}", 5, 80, -1, weekly(f"readiness_{c}"), {}) for c in CAPABILITIES],
    ("platform.crew", 0.1, 5.0, +1, weekly("readiness_integration"), {}),
    ("platform.reuse", 0.0, 0.9, +1, weekly("readiness_integration"), {"maturity.core": 1.0}),
    ("platform.debt", 0.0, 4.0, -1, weekly("readiness_integration"), {}),
    ("platform.debt_weeks", 5, 500, +1, weekly("readiness_integration"), {"platform.debt": 4.0}),
    ("platform.tail_spread", 0.0, 1.5, +1, log_spread("units", "tail"), {"platform.swan": 0.0}),
    ("platform.swan", 0.0, 1.0, +1, now("units", "tail"), {}),
    ("platform.swan_size", 0.0, 10.0, +1, now("units", "tail"), {"platform.swan": 1.0}),
    ("platform.decay", 0.0, 0.05, -1, weekly("readiness_integration"), {}),
    ("platform.relief", 0.0, 1.0, +1, on_time, READY),
    ("platform.dashboard", 0.1, 0.9, +1, USING, {}),
    ("support.need", 0.0, 10.0, +1, weekly("effort_support"), {}),
    ("support.carrying", 0.0, 5.0, +1, weekly("effort_support"), {}),
    ("support.minimum", 0.0, 2.0, +1, weekly("effort_support"), {}),
    ("support.cap", 0.1, 0.9, +1, weekly("support_ratio"), {"support.need": 10.0}),
    ("support.relief", 0.0, 1.0, +1, on_time, {}),
    ("support.channel", 0.0, 1.0, +1, USING, {}),
    # a weight acts in the direction of what it weighs: above one half it helps, below it hinders
    ("utility.trust", 0.0, 10.0, +1, USING, {"maturity.trust": 0.95, "weeks": 20}),
    ("utility.fit", 0.0, 10.0, +1, USING, {"maturity.fit": 0.99, "habit.effort": 0.0, **READY}),
    ("utility.peer", 0.0, 10.0, -1, USING, {"weeks": 20}),  # nobody uses it yet
    ("utility.sponsor", 0.0, 10.0, +1, USING, {"maturity.sponsorship": 0.98, "weeks": 20}),
    ("utility.habit", 0.0, 10.0, -1, USING, {"weeks": 20}),  # nobody has the habit yet
    ("utility.norm", 0.0, 10.0, -1, USING, {"weeks": 20}),  # no team's plan rests on it yet
    ("utility.threshold", 0.0, 3.0, -1, USING, {}),
    ("utility.threshold_spread", 0.0, 3.0, +1, at_start("users", "threshold", np.std), {}),
    ("utility.experience", 0.0, 0.2, +1, old_hands_threshold, {}),
    ("utility.override", 0.0, 3.0, +1, USING, {}),
    ("utility.reinforce", 1, 8, -1, USING, {}),
    ("trust.gain", 0.01, 0.2, +1, TRUST, {}),
    ("trust.loss", 0.02, 0.4, -1, TRUST, {}),
    ("trust.noise", 0.0, 3.0, -1, TRUST, {"forecast.best": 0.15}),  # a good forecast fails now and then, and failures weigh more
    ("trust.unused", 0.0, 1.0, +1, TRUST, {**READY, **NOBODY, "forecast.best": 0.1}),
    ("trust.late", 0.0, 0.3, -1, TRUST, {"maturity.lateness": 5.0}),
    ("trust.peer", 0.0, 0.3, -1, TRUST, NOBODY),
    ("trust.governance", 0.0, 0.3, +1, TRUST, {**READY, "trust.anchor": 1.0}),
    ("trust.anchor", 0.1, 0.9, +1, TRUST, READY),
    ("habit.pace", 0.02, 0.5, +1, weekly("reliance"), {"weeks": 10}),
    ("habit.understanding", 0.01, 0.5, +1, now("users", "understanding"), {}),
    ("habit.explained", 0.0, 0.5, +1, now("users", "understanding"), {**READY, **NOBODY}),
    ("habit.effort", 0.0, 1.0, -1, USING, {}),
    ("habit.dip", 0.0, 1.0, +1, weekly("friction"), {}),
    ("people.turnover", 0.0, 3.0, +1, newcomers, {}),
    ("people.newcomer_trust", 0.05, 0.95, +1, TRUST, {"people.turnover": 5.0}),
    ("people.experience", 2, 30, +1, at_start("users", "experience"), {}),
    ("people.newcomer_experience", 0, 40, +1, now("users", "experience"), {"people.turnover": 5.0}),
    ("people.champion_trust", 0.6, 1.0, +1, at_start("users", "trust"), {"strategy.champions": 0.5}),
    ("people.champion_threshold", -5.0, 0.0, +1, at_start("users", "threshold"), {"strategy.champions": 0.5}),
    ("override.share", 0.0, 1.0, +1, adjusted, {}),
    ("override.justified", 0.0, 1.0, +1, adjusted, {"strategy.override": "justified"}),
    ("override.harm", 0.0, 1.0, -1, weekly("value"), {"maturity.trust": 0.9}),
    ("override.help", 0.0, 0.9, +1, weekly("value"), {"maturity.trust": 0.1}),
    ("team.redesign", 1.0, 40.0, -1, now("teams", "fit"), {}),
    ("team.decay", 0.0, 0.05, -1, now("teams", "fit"), {}),
    ("team.norm", 0.01, 0.9, +1, now("teams", "norm"), {"weeks": 6}),
    ("team.reconciling", 0.0, 5.0, +1, weekly("friction"), {}),
    ("sponsor.follow", 0.0, 0.3, +1, weekly("sponsorship"), {"maturity.sponsorship": 0.02, "forecast.best": 0.2, **READY}),
    ("sponsor.technical", 0.0, 0.1, -1, weekly("sponsorship"), {"strategy.ownership": "technical"}),
    ("sponsor.shared", 0.0, 0.1, -1, weekly("sponsorship"), {"strategy.ownership": "shared"}),
    ("sponsor.blind", 0.0, 1.0, +1, lambda m: m.state.unit_weekly["visible"].mean(), {}),
    ("sponsor.target", 0.02, 0.5, -1, lambda m: m.state.unit_weekly["visible"].mean(), {}),
    ("sponsor.own_effort", 0.0, 3.0, +1, weekly("own_effort"), {}),
    ("review.every", 4, 26, -1, happened("review failed"), FAILING),
    ("review.grace", 0, 90, -1, happened("review failed"), FAILING),
    ("review.passing", 0.0, 1.0, +1, happened("review failed"), {"review.floor": 1.0}),
    ("review.floor", 0.0, 1.0, +1, happened("review failed"), {"review.passing": 1.0}),
    ("disturbance.priority", 0.0, 10.0, +1, happened("priority shock"), {}),
    ("disturbance.priority_drop", 0.0, 1.0, -1, weekly("sponsorship"), {"disturbance.priority": 5.0}),
    ("disturbance.priority_weeks", 0, 50, -1, weekly("own_effort"), {"disturbance.priority": 5.0, "disturbance.priority_drop": 0.0}),
    ("disturbance.leader", 0.0, 10.0, +1, happened("leader left"), {}),
    ("disturbance.shift", 0.0, 10.0, +1, happened("demand shift"), {}),
    ("disturbance.shift_size", 0.0, 0.5, -1, weekly("freshness"), {"disturbance.shift": 10.0}),
    ("correction.repair", 0.0, 0.2, +1, now("units", "completeness"), READY),
    ("correction.refresh", 0.0, 0.5, +1, weekly("freshness"), READY),
    ("value.worth", 0.02, 0.2, +1, size("value"), {}),
    ("value.person_week", 1000, 5000, +1, weekly("central_cost"), {}),
    ("value.planner_week", 500, 5000, +1, weekly("friction"), {}),
    ("value.running", 0, 5000, +1, weekly("running_cost"), {}),
    ("value.discount", 0.0, 0.5, -1, lambda m: abs(m.outcome["net_discounted"] / m.outcome["net"]), {"value.worth": 0.0}),
    ("outcomes.trust", 0.1, 0.9, -1, weekly("teams_trust_and_use"), {"outcomes.reliance": 0.0}),
    ("outcomes.reliance", 0.0, 0.99, -1, weekly("teams_trust_and_use"), {"outcomes.trust": 0.0}),
    ("outcomes.purgatory", 0.0, 1.0, +1, is_class("pilot_purgatory"), {}),
    ("outcomes.scaled", 0.0, 1.0, -1, is_class("scaled"), {"outcomes.purgatory": 0.0, "outcomes.scaled_units": 0.0}),
    ("outcomes.scaled_units", 0.0, 1.0, -1, is_class("scaled"),
     {"outcomes.purgatory": 0.0, "outcomes.scaled": 0.0, "strategy.wave": 0.25, "strategy.cadence": 60}),
    ("outcomes.survival", 10, 104, -1, outcome("survived_three_years"), {"strategy.gate_weeks": 30}),
    ("strategy.pilot", "representative", "cleanest", +1, lambda m: start(m)["units"]["clean"][int(start(m)["firm"]["pilot"][0])], {}),
    ("strategy.gate_weeks", 5, 40, +1, outcome("gate_week"), {}),
    ("strategy.gate_deadline", 30, 80, +1, stopped_after, {"strategy.gate_reliance": 1.0}),
    ("strategy.gate_improvement", -1.0, 1.0, -1, gate_passed, {}),
    ("strategy.gate_reliance", 0.0, 1.0, -1, gate_passed, {}),
    ("strategy.allocation", "fixed", "random", +1, lambda m: m.state.weekly["effort_workflow"][5:].std(), {"support.cap": 0.0}),
    ("strategy.core_first", 0.0, 1.0, +1, weekly("core_integration"), {}),
    ("strategy.order", "size", "readiness", +1, lambda m: start(m)["units"]["clean"][m.state.order[1]], {"maturity.unit_spread": 1.0}),
    ("strategy.cadence", 4, 40, -1, weekly("units_live"), {"strategy.wave": 0.25}),
    ("strategy.wave", 0.1, 1.0, +1, weekly("units_live"), {}),
    ("strategy.readiness_gate", 0.0, 1.0, -1, weekly("units_live"), {}),
    ("strategy.ownership", "technical", "business", +1, weekly("own_effort"), {}),
    ("strategy.override", "forbidden", "free", +1, adjusted, {}),
    ("strategy.champions", 0.0, 0.5, +1, at_start("users", "champion"), {}),
    ("strategy.placement", "random", "clustered", +1, champions_together, {"strategy.champions": 1 / 3}),
    ("strategy.unit_reviews", 1, 20, -1, last("units_retired"), FAILING),
    ("strategy.initiative_reviews", 1, 6, +1, stopped_after, {"strategy.initiative_floor": 1.0}),
    ("strategy.initiative_floor", 0.0, 1.0, -1, stopped_after, {"strategy.initiative_reviews": 1}),
]  # fmt: skip

#: Texts and lists, which have no low and high; each is tested where it acts.
ELSEWHERE = {
    "enterprise.source": "test_organisation", "enterprise.folder": "test_organisation", "network.edges": "test_organisation",
    "network.labels": "test_organisation", "network.team_size": "test_organisation", "strategy.name": "test_strategies",
    "strategy.description": "test_strategies", "strategy.pilot_unit": "test_strategies", "strategy.listed": "test_strategies",
}  # fmt: skip


def test_the_table_has_every_parameter_once():
    effort = [f"strategy.effort.{phase}.{bucket}" for phase in PHASES for bucket in BUCKETS]
    covered = [row[0] for row in TABLE] + effort + list(ELSEWHERE)
    assert sorted(covered) == sorted(name for name, _, _ in listing())


def paired(name, low, high, measure, context, strategy=BUSY):
    """Measures with the low and with the high value, one row a seed."""
    rows = []
    for seed in SEEDS:
        pair = []
        for value in (low, high):
            given = {"strategy": strategy, "maturity": "middle", "enterprise": SIZE, "weeks": 104, "rng": seed, **context, name: value}
            pair.append(measure(RolloutModel(**given).run()))
        rows.append(pair)
    return np.array(rows, float)


@pytest.mark.parametrize(("name", "low", "high", "sign", "measure", "context"), TABLE, ids=[row[0] for row in TABLE])
def test_direction(name, low, high, sign, measure, context):
    difference = sign * np.diff(paired(name, low, high, measure, context), axis=1)
    assert difference.mean() > 0, difference.ravel()
    assert (difference >= 0).mean() >= 0.6, difference.ravel()


@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize("phase", PHASES)
def test_effort_follows_its_share(phase, bucket):
    """All of a phase's effort into one bucket instead of even shares: that bucket gets more."""
    base = {"pilot": {**BUSY, "gate_weeks": 200, "gate_deadline": 300}, "rollout": ONBOARDING, "run": BUSY}[phase]
    even = {name: 1 / len(BUCKETS) for name in BUCKETS}
    all_in = {name: float(name == bucket) for name in BUCKETS}
    spent = []
    for shares in (even, all_in):
        strategy = {**base, "effort": {**base["effort"], phase: shares}}
        rows = RolloutModel(strategy=strategy, enterprise=SIZE, weeks=12, rng=1, **{"platform.crew": 1e6}).run().weekly
        spent.append(rows[f"effort_{bucket}"].iloc[3:].sum())
    assert spent[1] > spent[0] + 1


# --------------------------------------------------------------------------- what is refused

NUMBERS = [(name, record) for name, _, record in listing() if record.kind in ("number", "count")]


def nested(name, value):
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


@pytest.mark.parametrize(("name", "record"), NUMBERS, ids=[name for name, _ in NUMBERS])
def test_values_outside_the_range_and_of_other_types_are_refused_by_name(name, record):
    step = 1 if record.kind == "count" else 1e-9 + 1e-9 * abs(record.high)
    wrong = [record.low - step, record.high + step, float("nan"), float("inf"), -float("inf"), "7", True, None, [1], {"a": 1}]
    if record.kind == "count":
        wrong += [record.low + 0.5, float(record.low)]
    for value in wrong:
        with pytest.raises(InvalidInput) as raised:
            from_mapping(nested(name, value))
        assert raised.value.key == name and name in str(raised.value) and "\n" not in str(raised.value)


def test_every_record_is_complete_and_every_default_allowed():
    for name, default, record in listing():
        assert record.note, name
        assert record.source in ("documented", "calibrated", "judged"), name
        assert record.unit or record.kind in ("choice", "text", "names", "flag"), name
        if record.kind not in ("text", "names"):
            assert record.check(name, default) == default


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"strategy": "model_frist"}, ["model_frist", "model_first"]),
        ({"maturity": "hihg"}, ["hihg", "high"]),
        ({"enterprise": "artcle"}, ["artcle", "article"]),
        ({"network": "block"}, ["block", "blocks"]),
        ({"forecast": "defalt"}, ["defalt", "default"]),
        ({"strategy": "../strategy/balanced"}, ["strategy"]),
        ({"strategy": 7}, ["strategy", "7"]),
        ({"trust.los": 0.1}, ["trust.los", "trust.loss"]),
        ({"trsut": 0.1}, ["trsut", "trust"]),
        ({"trust.loss.more": 0.1}, ["trust.loss"]),
        ({"weeks": 0}, ["weeks", "0"]),
        ({"engine": "fast"}, ["engine", "compiled"]),
        ({"rng": -1}, ["seed", "-1"]),
        ({"rng": True}, ["seed"]),
        ({"rng": 1.5}, ["seed", "1.5"]),
        ({"rng": "7"}, ["seed"]),
        ({"rng": 2**64}, ["seed"]),
        ({"enterprise": {"units": 10_000, "teams": 1000, "users": 100}}, ["1000000000", "GB"]),
        ({"enterprise": {"units": 100_000, "teams": 1, "users": 1}, "weeks": 5200}, ["weeks", "GB"]),
        ({"strategy": {"effort": {"pilot": {"model": 0.5, "workflow": 0.6}}}}, ["strategy.effort.pilot", "1.1", "add up to 1"]),
        ({"strategy": {"pilot": "named"}}, ["strategy.pilot_unit"]),
        ({"strategy": {"order": "listed"}}, ["strategy.listed"]),
        ({"strategy": {"order": "listed", "listed": ["Brazil", "Brazil"]}}, ["strategy.listed"]),
        ({"strategy": {"gate_weeks": 50, "gate_deadline": 20}}, ["strategy.gate_deadline", "50"]),
    ],
)
def test_bad_arguments_name_key_value_and_what_is_allowed(given, said):
    with pytest.raises(InvalidInput) as raised:
        RolloutModel(**given)
    assert all(text in str(raised.value) for text in said), raised.value
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, ValueError)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.key, again.allowed, str(again)) == (raised.value.key, raised.value.allowed, str(raised.value))


def test_one_and_true_are_not_the_same_configuration():
    RolloutModel(enterprise="small", rng=1, **{"weeks": 1})
    with pytest.raises(InvalidInput, match="weeks"):
        RolloutModel(enterprise="small", rng=1, **{"weeks": True})


YAML = {
    "an alias": "a: &x 1\nb: *x\n", "an anchor": "a: &x 1\n", "a tag": "a: !!python/name:os.system\n", "a repeated key": "a: 1\na: 2\n",
    "octal": "a: 010\n", "base 60": "a: 12:30:45\n", "no": "a: no\n", "yes": "a: Yes\n", "a date": "a: 2026-11-23\n",
    "infinity": "a: .inf\n", "half a file": "a: {b: 1\n", "two documents": "a: 1\n---\nb: 2\n", "a merge": "<<: {a: 1}\n",
    "bytes": b"a: \xff\n", "too much": "a: 1\n" + "#" * 70_000,
}  # fmt: skip


@pytest.mark.parametrize("fault", YAML)
def test_clever_yaml_is_refused_with_file_and_line(fault, tmp_path):
    path = tmp_path / "strategy.yaml"
    content = YAML[fault]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput) as raised:
        read_yaml(path)
    assert "strategy.yaml" in str(raised.value) and "\n" not in str(raised.value)


def test_plain_yaml_is_read_with_or_without_a_byte_order_mark(tmp_path):
    (tmp_path / "plain.yaml").write_bytes(b"\xef\xbb\xbfa: 1\nb: 0.5\nc: true\nd: text\ne: [x, y]\nf: 1e-3\ng: -2\nh: 'no'\n")
    assert read_yaml(tmp_path / "plain.yaml") == {
        "a": 1, "b": 0.5, "c": True, "d": "text", "e": ["x", "y"], "f": 1e-3, "g": -2, "h": "no"
    }  # fmt: skip
