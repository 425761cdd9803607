"""What may be set on agents and on the enterprise between weeks: checked, and alike on both engines."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from test_engines import assert_same

from sim import InvalidInput
from sim.agents import BusinessUnit, Team, User
from sim.agents.base import Firm
from sim.state import FIRM, FIRM_VARIABLES, TEAM, UNIT, USER

ENGINES = ("compiled", "textbook")
KINDS = (Firm, BusinessUnit, Team, User)
VARIABLES = [(cls, name, variable) for cls in KINDS for name, variable in cls.variables.items()]
NAMES = [f"{cls.__name__}.{name}" for cls, name, _ in VARIABLES]


def owner(model, cls):
    """Somebody who carries the variables of a class."""
    return model.firm if cls is Firm else model.agents_by_type[cls].to_list()[0]


@pytest.fixture(scope="module", params=ENGINES)
def halfway(request):
    """A model to be looked at, that nothing may change."""
    from conftest import TINY

    from sim import RolloutModel

    model = RolloutModel(enterprise=TINY, weeks=80, rng=1, engine=request.param)
    for _ in range(20):
        model.step()
    return model


def bytes_of(model):
    return {name: rows.tobytes() for name, rows in model.columns().items()}


@pytest.mark.fault(
    "configuration", "an agent's or the enterprise's variable: NaN, text, bool, out of range", "refused: variable, value, range"
)
@pytest.mark.parametrize(("cls", "name", "variable"), VARIABLES, ids=NAMES)
def test_a_variable_holds_its_range(halfway, cls, name, variable):
    before, record = bytes_of(halfway), variable.record
    span = max(1.0, record.high - record.low) if variable.settable else 1.0
    wrong = [math.nan, math.inf, -math.inf, "a", None, True] + ([record.low - span, record.high + span] if variable.settable else [0, 1])
    if variable.settable and record.kind == "count":
        wrong.append(record.low + 0.5)
    for value in wrong:
        for given in [value, [value] * variable.size, [record.low] * (variable.size - 1)] if variable.size else [value]:
            with pytest.raises(InvalidInput) as raised:
                setattr(owner(halfway, cls), name, given)
            said = str(raised.value)
            assert said.startswith(f"{cls.__name__}.{name}") and "\n" not in said
            assert not variable.settable or f"{record.low:g} to {record.high:g}" in said
    assert bytes_of(halfway) == before


@pytest.mark.fault("configuration", "one of several numbers of a unit out of range", "refused: variable, place, value, range")
def test_one_of_several_numbers_holds_its_range(halfway):
    before = bytes_of(halfway)
    for cls, name in ((BusinessUnit, "readiness"), (BusinessUnit, "debt"), (Firm, "core")):
        for value in (5.0, math.nan, "a"):
            with pytest.raises(InvalidInput, match=rf"{cls.__name__}\.{name}\[2\].*0 to 1"):
                getattr(owner(halfway, cls), name)[2] = value
    with pytest.raises(IndexError):
        owner(halfway, BusinessUnit).readiness[9] = 0.5
    for wrong in ({0.1, 0.2, 0.3, 0.4}, {0.1: 0, 0.2: 0, 0.3: 0, 0.4: 0}, b"\0\0\1\1", np.eye(4), np.array(0.5), (x for x in (0, 0, 0, 0))):
        with pytest.raises(InvalidInput, match=r"BusinessUnit\.readiness: .*4 times a number from 0 to 1 .*list, tuple or array"):
            owner(halfway, BusinessUnit).readiness = wrong
    readiness = owner(halfway, BusinessUnit).readiness
    for action in (
        lambda: readiness["a"],
        lambda: readiness.__setitem__("a", 0.5),
        lambda: readiness.__setitem__(slice(0, 2), [0.1, 0.2, 0.3]),
        lambda: readiness.__delitem__(0),
    ):
        with pytest.raises(InvalidInput, match=r"^BusinessUnit\.readiness: "):
            action()
    assert bytes_of(halfway) == before


@pytest.mark.fault("configuration", "misspelt variables, rules set on one agent, attributes deleted", "refused: name, and the likeliest")
def test_what_an_agent_does_not_have_is_not_set(halfway):
    for cls, name, said in (
        (Firm, "budgte", "did you mean budget"),
        (BusinessUnit, "sponsorshp", "sponsorship"),
        (User, "decide", "subclass"),
    ):
        with pytest.raises(InvalidInput, match=rf"{cls.__name__}\.{name}: .*{said}"):
            setattr(owner(halfway, cls), name, 0.5)
        assert name not in vars(owner(halfway, cls))
    for cls, name in ((User, "trust"), (BusinessUnit, "readiness"), (Team, "row"), (User, "peers"), (Firm, "core")):
        with pytest.raises(InvalidInput, match=rf"{cls.__name__}\.{name}: 'del'"):
            delattr(owner(halfway, cls), name)


def test_attributes_of_one_s_own_are_declared_in_a_subclass():
    from sim import RolloutModel

    class Own(User):
        mood = 0
        later: float

        def __init__(self, model, row):
            super().__init__(model, row)
            self.hue = "red"

    class Early(User):
        def __init__(self, model, row):
            super().__init__(model, row)
            self.trust = 0.5

    for engine in ENGINES:
        for cls in (Own, Early):
            classes = {**RolloutModel.agent_classes, User: cls}
            made = type("Model", (RolloutModel,), {"agent_classes": classes})
            if cls is Early:
                with pytest.raises(InvalidInput, match=r"Early\.trust: .*once the model is made"):
                    made(enterprise="small", rng=1, engine=engine).agents  # noqa: B018
                continue
            user = owner(made(enterprise="small", rng=1, engine=engine), User)
            user.mood, user.later, user.hue = 3, 0.5, "blue"
            assert (user.mood, user.later, user.hue) == (3, 0.5, "blue")
            with pytest.raises(InvalidInput, match=r"Own\.huge"):
                user.huge = 1


def test_a_copy_of_an_agent_is_apart(halfway):
    before, told = bytes_of(halfway), len(halfway.events)
    unit = copy.copy(owner(halfway, BusinessUnit))
    unit.sponsorship, unit.readiness[1] = 0.123, 0.4
    assert (unit.sponsorship, unit.readiness[1], unit.name) == (0.123, 0.4, owner(halfway, BusinessUnit).name)
    assert bytes_of(halfway) == before and len(halfway.events) == told and isinstance(unit, BusinessUnit)


def test_several_numbers_are_read_as_a_sequence(halfway):
    readiness = owner(halfway, BusinessUnit).readiness
    assert readiness == list(readiness) == list(halfway.columns()["units"]["readiness"][0]) and len(readiness) == 4
    assert np.mean(readiness) == pytest.approx(sum(readiness) / 4) and repr(readiness) == repr(list(readiness))


@pytest.mark.fault("configuration", "out of range through Mesa's AgentSet.set and do", "refused before anything is written")
def test_mesa_s_sets_are_checked_too(halfway):
    before, users = bytes_of(halfway), halfway.agents_by_type[User]
    for action in (lambda: users.set("trust", 5.0), lambda: users.do(lambda user: setattr(user, "trust", math.nan))):
        with pytest.raises(InvalidInput, match=r"User\.trust.*0 to 1"):
            action()
    assert bytes_of(halfway) == before


@pytest.mark.fault(
    "configuration", "who belongs to whom and who sees whom, rewritten (acted on one engine, or crashed)", "refused in one line"
)
@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls in KINDS[1:] for name in cls.ties])
def test_ties_are_fixed(halfway, cls, name):
    agent = owner(halfway, cls)
    with pytest.raises(InvalidInput, match=rf"{cls.__name__}\.{name}"):
        setattr(agent, name, getattr(agent, name))
    assert not isinstance(getattr(agent, name), list)


SETTABLE = [(cls, name, v) for cls, name, v in VARIABLES if v.settable]


@pytest.mark.parametrize(("cls", "name", "variable"), SETTABLE, ids=[f"{cls.__name__}.{name}" for cls, name, _ in SETTABLE])
@pytest.mark.parametrize("end", ["low", "high"])
def test_what_is_set_acts_alike_on_both_engines(tiny, cls, name, variable, end):
    """Both ends of every range run to a finite end, with the same bits."""
    runs = []
    for engine in ENGINES:
        model = tiny(engine=engine, weeks=45, maturity="high")
        for _ in range(20):
            model.step()
        value = getattr(variable.record, end)
        value = [value] * variable.size if variable.size else value
        for who in [model.firm] if cls is Firm else model.agents_by_type[cls]:
            setattr(who, name, value)
            assert getattr(who, name) == value
        runs.append(model.run())
    assert_same(*runs)


@pytest.mark.fault("configuration", "own_error set, its logarithm left as it was", "the logarithm follows")
def test_the_logarithm_follows_the_error(tiny):
    runs = []
    for engine in ENGINES:
        model = tiny(engine=engine)
        start = model.columns()["users"]
        for user in model.agents_by_type[User]:
            user.own_error = user.own_error
        assert model.columns()["users"].tobytes() == start.tobytes()
        model.agents_by_type[User].set("own_error", 0.2)
        assert set(model.columns()["users"]["log_own_error"]) == {np.log(0.2)}
        runs.append(model.run())
    assert_same(*runs)


def test_windows_are_put_off_while_a_textbook_week_runs_and_on_again(tiny):
    seen = []

    class Watching(User):
        def step(self):
            seen.append(type(self))
            super().step()

    from sim import RolloutModel

    class Model(RolloutModel):
        agent_classes = {**RolloutModel.agent_classes, User: Watching}

    model = Model(enterprise="small", weeks=3, rng=1, engine="textbook")
    user = next(iter(model.agents_by_type[Watching]))
    for _ in range(2):
        model.step()
        with pytest.raises(InvalidInput, match=r"Watching\.trust"):
            user.trust = 2.0
    assert set(seen) == {Watching} and type(user) is not Watching


def test_a_week_that_fails_leaves_agents_checked(tiny):
    class Failing(User):
        def step(self):
            raise RuntimeError

    from sim import RolloutModel

    class Model(RolloutModel):
        agent_classes = {**RolloutModel.agent_classes, User: Failing}

    model = Model(enterprise="small", weeks=3, rng=1, engine="textbook")
    with pytest.raises(RuntimeError):
        model.step()
    with pytest.raises(InvalidInput, match=r"Failing\.trust"):
        next(iter(model.agents_by_type[Failing])).trust = 2.0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
def test_copies_are_checked_and_apart(halfway, copied):
    other = copied(halfway)
    for model in (halfway, other):
        with pytest.raises(InvalidInput, match="trust"):
            owner(model, User).trust = 5.0
    other.firm.quality = 0.5
    owner(other, User).trust = 0.123
    assert halfway.firm.quality != 0.5 and owner(halfway, User).trust != 0.123


def test_the_columns_are_made_of_the_variables():
    for dtype, cls in ((FIRM, Firm), (UNIT, BusinessUnit), (TEAM, Team), (USER, User)):
        assert dtype.names == tuple(cls.variables)
    assert FIRM["core"].shape == (FIRM_VARIABLES["core"].size,)


@pytest.mark.parametrize("engine", ["compiled", "textbook"])
@pytest.mark.parametrize("name", ["model", "unique_id", "__class__", "on_columns"])
def test_which_agent_it_is_stands(engine, name, tiny):
    model = tiny(engine=engine)
    for one in (model.firm, model.agents_by_type[User][0]):
        with pytest.raises(InvalidInput, match=rf"\.{name}: "):
            setattr(one, name, type(one).__mro__[2] if name == "__class__" else 7)
    model.run_for(1)
