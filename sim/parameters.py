"""Every number of the model, as a record: value, unit, allowed range, source, what it rests on, and the range the source gives.

Rules read numbers from here and from nowhere else. Sources: ``documented`` rests on a published figure named in the note;
``measured`` comes from an experiment in this repository; ``calibrated`` was fitted to published figures; ``judged`` is a modelling
judgement, to be varied in a sensitivity analysis. How a configuration is checked and read: :mod:`sim.configuration`.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from sim.choices import BUCKETS, CAPABILITIES, PHASES, Effort, Portfolio, Shares, Strategy
from sim.presets import check_name
from sim.schema import InvalidInput, Record, choice, count, group, groups, nearest, number, text, titles, walk

__all__ = ["BUCKETS", "CAPABILITIES", "PHASES", "RECORDS", "Effort", "Parameters", "Portfolio", "Shares", "Strategy", "UseCase"]

#: Use cases that a portfolio may hold.
MOST_USE_CASES = 6

# --------------------------------------------------------------------------- the enterprise


@group
class EnterpriseSize:
    """How large the enterprise is, and what it plans."""

    def validate(self, prefix: str) -> None:
        """Refuse a folder that nobody would read."""
        if self.folder and self.source != "files":
            raise InvalidInput(prefix + "folder", self.folder, "enterprise=from_files beside it: a generated enterprise reads no folder")

    source: str = choice("generated", ("generated", "files"), "drawn from the maturity level, or read from CSV files")
    folder: str = text("", "folder with units.csv, teams.csv, users.csv, ties.csv (source: files)")
    units: int = count(12, "business units", 1, 100_000, "documented", "the article's twelve regions")
    teams: int = count(8, "teams per unit", 1, 10_000, "judged", "planning teams of a region")
    users: int = count(8, "planners per team", 1, 10_000, "judged", "one planning meeting's worth of people")
    spend: float = number(1_000_000, "EUR planned per planner and week", 0, 1e9, "judged",
        "about EUR 40bn a year for 768 planners; posterior 361000 to 1930000", (500_000, 1_500_000))
    spend_spread: float = number(0.5, "sd of log spend between units", 0, 2, "judged", "regions differ in size")
    number: int = count(0, "number", 0, 2**31 - 1, "judged",
        "which organisation it is: by it goes how much its use cases have to gain, where they differ; 0: by the run's seed")


@group
class Needs:
    """How much of each capability a use case needs in a unit."""

    pipelines: float = number(1.0, "share of the local effort", 0.01, 1, "judged", "inputs that it needs")
    integration: float = number(1.0, "share of the local effort", 0.01, 1, "judged", "output inside the planning system")
    monitoring: float = number(1.0, "share of the local effort", 0.01, 1, "judged", "outcomes seen")
    governance: float = number(1.0, "share of the local effort", 0.01, 1, "judged", "accountability and explanation")


@group
class UseCase:
    """A forecasting capability that planners may come to use; a YAML file in ``configs/usecase``. What is compared is demand forecasting."""

    def validate(self, prefix: str) -> None:
        """Refuse a name that cannot be shown, and a use case for nobody."""
        check_name(prefix + "name", self.name)
        if self.name.lower() == "all":
            raise InvalidInput(prefix + "name", self.name, "a name of its own: all is what tables call all of them together")
        if self.teams == 0:
            raise InvalidInput(prefix + "teams", self.teams, "a share above 0: somebody has to use it")

    name: str = text("demand", "its name, from its file")
    description: str = text("", "one sentence for people")
    value: float = number(1.0, "times demand forecasting", 0.001, 1000, "judged", "what a point of error is worth")
    quality: float = number(1.0, "times forecast.start", 0.1, 10, "judged", "how good the pilot's model is; a sound one at most")
    own_error: float = number(1.0, "times the planner's error in demand forecasting", 0.1, 10, "judged", "how well planners do without it")
    work: float = number(1.0, "times demand forecasting", 0, 10, "judged", "how much of a planner's week it concerns, and its change can cost")
    needs: Needs = field(default_factory=Needs)
    common: float = number(0.6, "share of its local readiness", 0, 1, "judged", "that is found where another use case has built it")
    teams: float = number(1.0, "share of each unit's teams", 0, 1, "judged", "that use it: at least one, the supply team first")


@group
class Maturity:
    """The state the enterprise starts from. Means; the spreads say how far units, teams and users differ."""

    budget: float = number(1.5, "person-weeks per week and unit", 0, 1000, "judged", "central AI team; 18 people for twelve regions")
    completeness: float = number(0.75, "share of item-weeks", 0.01, 0.999, "documented",
        "65% of inventory records were wrong (DeHoratius & Raman 2008); judged how many matter")
    lateness: float = number(1.0, "weeks", 0, 26, "judged", "age of the inputs at the planning cut-off")
    mismatch: float = number(0.35, "share of items", 0.001, 0.999, "judged", "items whose hierarchy differs from the pilot's")
    fragmentation: float = number(0.8, "extra effort share", 0, 10, "judged", "many local systems to connect")
    variants: float = number(0.5, "extra effort share", 0, 10, "judged", "local ways of planning that a new workflow must match or change")
    sponsorship: float = number(0.55, "0 to 1", 0.01, 0.99, "judged", "backing by the unit's leader at the start")
    fit: float = number(0.40, "0 to 1", 0.01, 0.99, "judged", "how far the forecast fits the team's planning workflow as it is")
    trust: float = number(0.45, "0 to 1", 0.01, 0.99, "judged", "trust before any experience")
    readiness: float = number(0.05, "0 to 1", 0, 1, "judged", "platform capabilities that exist locally at the start")
    core: float = number(0.10, "0 to 1", 0, 1, "judged", "shared platform core that exists at the start")
    unit_spread: float = number(0.35, "sd in logits", 0, 3, "documented",
        "under 3% of the variance lies between stores (DeHoratius & Raman 2008): units differ least")
    team_spread: float = number(0.9, "sd in logits", 0, 3, "documented",
        "26% of the variance lies between product categories (same): teams differ most")
    user_spread: float = number(0.7, "sd in logits", 0, 3, "documented",
        "traits explain little of trust (evidence on dynamic trust): moderate")


@group
class Network:
    """Who sees whom plan."""

    kind: str = choice("blocks", ("blocks", "small_world", "scale_free", "edges", "graph"),
        "generator, edge list with labels, or a NetworkX graph")
    team_ties: float = number(5, "mean ties inside the team", 0, 1000, "judged", "teams are dense")
    unit_ties: float = number(2, "mean ties to other teams of the unit", 0, 1000, "judged", "units are sparse")
    cross_ties: float = number(0.3, "mean ties to other units", 0, 1000, "judged", "a few ties cross")
    ties: int = count(8, "mean ties per planner", 2, 1000, "judged", "small world and scale-free networks")
    rewired: float = number(0.05, "share of ties", 0, 1, "documented", "small world: Watts & Strogatz 1998, share rewired at random")
    edges: str = text("", "edge list, one «source target» a line, or a table of messages or ties (kind: edges)")
    labels: str = text("", "«node department» a line, or a table with departments, managers or both: the units, and teams (kind: edges)")
    columns: tuple[tuple[str, str], ...] = titles(("source", "target", "weight", "employee", "department", "manager"),
        "what the tables of edges and labels call these columns")
    min_weight: float = number(0, "messages, or the sum of the weights", 0, 1e9, "judged",
        "ties of an edge list between two planners count from here on; 0: any")
    unplaced: str = choice("refuse", ("refuse", "drop"), "what becomes of people without a department in an edge list or graph")
    team_size: int = count(8, "planners per team", 1, 10_000, "judged", "teams formed inside the departments of an edge list or graph")


# --------------------------------------------------------------------------- the forecast


@group
class Forecast:
    """Forecast error and what bad inputs do to it."""

    best: float = number(0.325, "WAPE", 0.01, 1, "documented",
        "sound model, 5-20% under the planner's error (M5: winner about 20% under the benchmark)", (0.32, 0.38))
    planner: float = number(0.463, "WAPE", 0.01, 2, "judged",
        "the planner's own spreadsheet method; weekly item WAPE .4-.6 in retail data; what counts is its distance from "
        "best; posterior 0.385 to 0.484", (0.438, 0.518))
    planner_spread: float = number(0.15, "sd of log WAPE between planners", 0, 2, "judged", "some planners are good")
    difficulty_spread: float = number(0.25, "sd of log WAPE between teams", 0, 2, "judged",
        "some categories are easier, for model and planner alike")
    usecase_spread: float = number(0.0, "sd of log WAPE of planners between use cases", 0, 2, "documented",
        "how much there is to gain from a model turns out when it is tried: a third of ideas improved what they were meant to (Kohavi et al. "
        "2009); 0: as much as the use case's file says; posterior 0.193 to 0.578", (0.0, 0.6))
    missing: float = number(0.123, "error share per share of item-weeks missing", 0, 5, "measured",
        "experiments.response on daily sales of 118 items; 95% interval", (0.078, 0.168))
    late: float = number(0.025, "error share per week late", 0, 5, "measured", "same", (0.012, 0.039))
    mapping: float = number(0.035, "error share per share of items wrongly mapped", 0, 5, "measured",
        "same, the forecast of single items; the interval reaches 0", (0.0, 0.07))
    mapping_totals: float = number(2.9, "error share per share of items wrongly mapped", 0, 20, "measured",
        "same, the forecast of a brand's total, items in the wrong parent: 2.3 to 3.7", (2.3, 3.7))
    totals: float = number(0.1, "share of the plan", 0, 1, "judged", "that is made of totals, for the sales and operations plan; the rest of items")
    missed: float = number(0.45, "chance of missing the cut-off per week late", 0, 10, "judged",
        "1 - exp(-missed x weeks late): output too late for the planning meeting")
    start: float = number(0.88, "quality, 1 = sound model", 0.1, 1, "judged", "quality the pilot model starts with")
    learning: float = number(0.004, "share of the gap closed per person-week", 0, 1, "judged", "model work has diminishing returns")
    retraining: float = number(0.1, "share of lost freshness restored per person-week and live unit", 0, 10, "judged",
        "model work also retrains")
    drift: float = number(0.003, "freshness lost per week", 0, 0.5, "documented",
        "91% of 128 model-dataset pairs degraded with age (Vela et al. 2022); pace judged")
    min_freshness: float = number(0.5, "freshness", 0.1, 1, "judged", "the oldest model is this good: drift stops there")


# --------------------------------------------------------------------------- the platform


@group
class Platform:
    """Effort the platform layer takes and what it relieves."""

    vectors: ClassVar = {f"{part}_effort": tuple(f"{part}_{name}" for name in CAPABILITIES) for part in ("core", "local")}

    core_pipelines: float = number(80, "person-weeks", 0.1, 1e6, "judged", "shared core, once")
    core_integration: float = number(100, "person-weeks", 0.1, 1e6, "judged", "shared core, once")
    core_monitoring: float = number(50, "person-weeks", 0.1, 1e6, "judged", "shared core, once")
    core_governance: float = number(40, "person-weeks", 0.1, 1e6, "judged", "shared core, once")
    local_pipelines: float = number(20, "person-weeks per unit", 0.1, 1e6, "judged", "one unit's share, before the multipliers")
    local_integration: float = number(24, "person-weeks per unit", 0.1, 1e6, "judged", "one unit's share, before the multipliers")
    local_monitoring: float = number(8, "person-weeks per unit", 0.1, 1e6, "judged", "one unit's share, before the multipliers")
    local_governance: float = number(8, "person-weeks per unit", 0.1, 1e6, "judged", "one unit's share, before the multipliers")
    reuse: float = number(0.6, "share of local effort saved by a full core", 0, 0.95, "judged",
        "what is built once need not be built twelve times")
    debt: float = number(1.0, "extra effort share at full debt", 0, 4, "documented",
        "retrofit multiplier 1-5 (Boehm & Basili 2001), none in 171 projects (Menzies et al. 2017)")
    debt_weeks: float = number(52, "weeks", 1, 1000, "judged", "time constant with which debt builds up while live without the capability")
    overrun_spread: float = number(0.3, "sd of log effort", 0, 2, "documented",
        "large IT runs 45% over budget on average (McKinsey & Oxford 2012)")
    swan: float = number(0.17, "probability", 0, 1, "documented", "17% of IT projects are black swans (same)")
    swan_size: float = number(2.0, "mean extra effort share of a black swan", 0, 20, "documented",
        "18% overrun by more than half, by 447% on average; shrunk to one capability of one unit, judged")
    decay: float = number(0.002, "share lost per week", 0, 0.5, "documented", "upkeep (Sculley et al. 2015); pace judged")
    relief: float = number(0.9, "share of data defects removed by full pipelines", 0, 1, "judged", "some defects stay")
    dashboard: float = number(0.45, "share of fit", 0, 1, "judged", "fit left when the output sits in a separate dashboard")


@group
class Support:
    """Patching by hand what live units lack."""

    need: float = number(3.0, "person-weeks per week and unit without clean data", 0, 1000, "judged",
        "hand-made extracts, mapping tables, phone calls")
    carrying: float = number(1.0, "person-weeks per week and unit without integration", 0, 1000, "judged",
        "carrying the output into planners' sheets by hand")
    minimum: float = number(0.15, "person-weeks per week and live unit", 0, 1000, "judged", "a live unit always has questions")
    cap: float = number(0.6, "share of the budget", 0, 1, "judged",
        "support comes first, up to here (capability trap: Repenning & Sterman 2001)")
    relief: float = number(0.8, "share of data defects hidden at full support", 0, 1, "judged",
        "what heroic effort achieves while it lasts")
    channel: float = number(0.7, "share of the missing channel bridged at full support", 0, 1, "judged",
        "output carried by hand meets the planner almost as an integrated one would")


# --------------------------------------------------------------------------- people


@group
class Utility:
    """Weights of the decision to plan on the forecast, in logits."""

    trust: float = number(7.0, "logits per unit of trust", 0, 50, "documented",
        "performance expectancy is strongest (UTAUT meta-analysis); size judged: strong enough that use does not outlive trust for good")
    fit: float = number(3.0, "logits per unit of channel fit", 0, 50, "documented", "effort expectancy (.15-.2 in paths); size judged")
    peer: float = number(2.0, "logits per share of peers", 0, 50, "documented", "social influence (.2 in paths); size judged")
    sponsor: float = number(1.0, "logits per unit of sponsorship", 0, 50, "documented", "facilitating conditions are weakest; size judged")
    habit: float = number(1.6, "logits per unit of reliance", 0, 50, "documented", "habit (UTAUT2); size judged")
    norm: float = number(0.8, "logits per share of the team", 0, 50, "judged", "planning on the team's majority numbers spares reconciling")
    threshold: float = number(-0.3, "logits", -20, 20, "judged",
        "what must be overcome to leave the spreadsheet; posterior -1.03 to 0.289", (-1.06, 1.36))
    threshold_spread: float = number(0.8, "sd between users, logits", 0, 10, "judged",
        "disposition; traits explain little of trust beside experience with it (dynamic trust)")
    experience: float = number(0.04, "logits per year above the mean", 0, 2, "documented",
        "experienced professionals take less advice (Logg, Minson & Moore 2019); slope judged")
    override: float = number(1.5, "logits, before any understanding", 0, 20, "documented",
        "a first choice, of a forecast not known from use: 32% take a fixed model, 73-76% one they may adjust (Dietvorst, Simmons & "
        "Massey 2018, shares recalled): about 1.8")
    load: float = number(0.6, "logits per unit of change load", 0, 20, "documented",
        "willing to support a change: 74% with 2 planned changes a year, 43% with 10 (Gartner 2016 and 2022): 1.3 logits for 8; a unit of "
        "load stands for three or four, judged")
    min_peers: int = count(2, "peers", 1, 100, "documented", "complex contagion needs reinforcement (Centola 2010)")
    saturation: float = number(1.0, "share of peers", 0.001, 1, "judged", "from here on more peers add nothing; near 0: simple contagion")


@group
class Trust:
    """How trust in the forecast moves."""

    gain: float = number(0.06, "share of missing trust per full success", 0, 1, "judged", "weeks to months to build")
    loss: float = number(0.13, "share of trust per full failure", 0, 1, "documented",
        "algorithms lose confidence faster (Dietvorst et al. 2015); loss/gain 1.5-4 judged")
    noise: float = number(0.41, "sd of the log ratio of the two errors seen", 0, 5, "judged",
        "one week's errors say little; posterior 0.238 to 0.883", (0.219, 0.672))
    unused: float = number(0.3, "share seen at full monitoring", 0, 1, "judged", "monitoring shows non-users what they missed")
    late: float = number(0.02, "share of trust per missed cut-off", 0, 1, "judged", "a forecast that does not come is not trusted")
    peer: float = number(0.015, "share of the gap to peers' use per week", 0, 1, "judged",
        "hearsay, until a planner understands the forecast")
    governance: float = number(0.03, "share of the gap to the anchor per week", 0, 1, "judged",
        "institutional trust, at full governance and before any understanding (McKnight et al. 1998)")
    anchor: float = number(0.6, "0 to 1", 0, 1, "judged", "trust an accountable, explained forecast deserves before experience")
    accountable: float = number(0.4, "share of a loss of trust", 0, 1, "judged",
        "spared at full governance, where somebody answers for an error and follows it up")


@group
class Sharing:
    """What use cases of one portfolio have in common beside the platform and the central team."""

    attention: float = number(0.5, "share of a leader's backing", 0, 1, "judged",
        "that is divided among the use cases that are new at the same time")
    trust: float = number(0.5, "share of the gap", 0, 1, "judged",
        "to the trust in a use case one knows by which a new one is judged, good and bad")
    backing: float = number(0.5, "share of the gap", 0, 1, "judged",
        "to the backing of the use cases there are, by which a leader backs the next one, good and bad")


@group
class Habit:
    """How choices become habits and use becomes understanding."""

    pace: float = number(0.10, "share of the gap per week", 0, 1, "judged", "reliance is an average over some ten weeks")
    understanding: float = number(0.08, "share of the gap per week of use", 0, 1, "documented",
        "dip of 1-6 months after go-live (McAfee 2002): 12 weeks")
    explained: float = number(0.02, "share of the gap per week at full governance", 0, 1, "judged", "training and explanation")
    effort: float = number(0.3, "share of fit lost without understanding", 0, 1, "judged",
        "a user who does not know how to apply the output")
    dip: float = number(0.15, "share of a planner's week", 0, 1, "documented",
        "productivity falls first (McElheran et al. 2025; McAfee 2002); size judged")


@group
class People:
    """Who comes and goes."""

    turnover: float = number(0.15, "share of planners per year", 0, 20, "documented", "10-20% of staff a year (recalled)")
    newcomer_trust: float = number(0.3, "0 to 1", 0, 1, "judged", "newcomers have no experience with it")
    experience: float = number(10, "years, mean", 0.1, 60, "judged", "planners in post")
    newcomer_experience: float = number(4, "years, mean", 0, 60, "judged", "planners who arrive")
    champion_trust: float = number(0.85, "0 to 1", 0, 1, "judged", "champions believe in it")
    champion_time: float = number(0.05, "share of a champion's week", 0, 1, "judged",
        "two hours a week with colleagues, while the unit pilots, onboards or is live")
    champion_threshold: float = number(-1.0, "logits", -20, 20, "judged", "and start early")


@group
class Override:
    """What adjusting the forecast does."""

    share: float = number(0.5, "share of uses adjusted where allowed", 0, 1, "documented",
        "34% in a survey, about 75% in case firms (Fildes et al. 2009)")
    justified: float = number(0.4, "share of these left when a reason is required", 0, 1, "judged", "the small ones go first")
    harm: float = number(0.06, "error share added by a small adjustment", 0, 1, "documented",
        "small adjustments harm accuracy (same); size judged")
    help: float = number(0.05, "error share removed by a large adjustment", 0, 0.9, "documented",
        "large ones help a little (same); size judged")


@group
class TeamRules:
    """The planning meeting and its workflow."""

    redesign: float = number(2.7, "person-weeks per team for 63% of the gap", 0.01, 1e6, "judged",
        "redesigning one team's workflow, where no local variant has to be matched")
    capacity: float = number(0.5, "person-weeks per week and team", 0.001, 1e6, "judged",
        "change to its workflow that a team can take up beside its work")
    hurdle: float = number(0.12, "expected gain in fit", 0, 1, "judged",
        "from which on a team redesigns its workflow for a forecast that its business owns; twice that for one that IT owns")
    decay: float = number(0.0015, "fit lost per week", 0, 0.5, "judged", "local processes change, the more the more variants there are")
    norm: float = number(0.2, "share of the gap per week", 0, 1, "judged", "the team's norm follows its plan")
    reconciling: float = number(0.4, "planner-weeks per planner at share (1 - share)", 0, 10, "judged",
        "two sets of numbers in one meeting: 10% of the week at worst")
    chain: float = number(0.6, "share of a team's gain", 0, 1, "judged",
        "that is realised only as far as the team downstream plans on the same numbers: supply and inventory follow their own otherwise")


# --------------------------------------------------------------------------- management and chance


@group
class Sponsor:
    """Sponsorship: what leaders see, and what their backing brings."""

    rate: float = number(0.04, "share of the gap per week", 0, 1, "judged", "backing follows visible value within half a year")
    visible_unmonitored: float = number(0.45, "share of value visible without monitoring", 0, 1, "judged", "anecdotes")
    target: float = number(0.10, "error cut, share of the planner's error", 0.001, 1, "judged", "improvement that counts as full success")
    own_effort: float = number(0.8, "person-weeks per week and unit at full sponsorship", 0, 1000, "judged",
        "what a unit adds under business ownership; half under shared")


@group
class Review:
    """Quarterly review of units and initiative."""

    every: int = count(13, "weeks", 1, 520, "judged", "quarterly")
    grace: int = count(26, "weeks live", 0, 1000, "judged", "no unit is judged in its first half year")
    passing: float = number(0.1, "visible success, 0 to 1", 0, 1, "judged", "a review that sees less fails, unless a leader defends what is reviewed")
    floor: float = number(0.15, "sponsorship, 0 to 1", 0, 1, "judged",
        "a leader whose backing is above this defends what he began; one who came later as far as the business owns it "
        "(escalation of commitment, and its end with new managers: Montealegre & Keil 2000); posterior 0.0721 to 0.88")
    relaunch: float = number(0.6, "backing of a new leader, 0 to 1", 0, 1, "judged", "from here on what was given up is taken up again")


@group
class Disturbance:
    """What happens to the enterprise from outside."""

    priority: float = number(1.3, "shocks per unit and year", 0, 52, "judged",
        "other priorities; posterior 0.204 to 1.91", (0.216, 1.87))
    priority_drop: float = number(0.35, "share of sponsorship", 0, 1, "judged", "lost at a shock")
    priority_weeks: int = count(13, "weeks", 0, 520, "judged", "no effort of the unit's own meanwhile, and change load on its teams")
    leader: float = number(0.2, "departures per leader and year", 0, 52, "judged",
        "leaders of units and of the enterprise stay five years; posterior 0.164 to 0.935")
    shift: float = number(0.55, "shifts per unit and year", 0, 52, "documented",
        "demand shifts: the sudden mode of drift (Vela et al. 2022); pace judged")
    shift_size: float = number(0.16, "share of freshness", 0, 0.9, "judged", "lost at a shift")


@group
class Correction:
    """What users' corrections repair where monitoring stands."""

    repair: float = number(0.02, "share of defects per week where all correct", 0, 1, "judged",
        "corrections fed back into the data, at full monitoring and business ownership")
    refresh: float = number(0.06, "share of lost freshness per week at full monitoring", 0, 1, "judged", "drift is caught")


@group
class Value:
    """What accuracy is worth and what everything costs."""

    worth: float = number(0.06, "EUR per EUR planned and point of WAPE as a share", 0, 10, "documented",
        "10% error cut at EUR 1bn is about EUR 1.8M a year (Vermorel): 0.0018 / 0.03")
    realised: float = number(0.45, "share of that worth", 0, 1, "documented",
        "that reaches the profit and loss account; satisfactory returns of a use case take two to four years, 6% of firms see them "
        "within one (Deloitte 2025); judged; posterior 0.314 to 0.736")
    person_week: float = number(3000, "EUR per person-week of the central team", 0, 1e6, "judged", "EUR 150k a year")
    planner_week: float = number(1800, "EUR per planner-week", 0, 1e6, "judged", "EUR 90k a year")
    running: float = number(1500, "EUR per live unit and week", 0, 1e7, "judged", "computing, licences, on-call")
    discount: float = number(0.08, "share per year", 0, 1, "judged", "cost of capital")


@group
class Outcomes:
    """Where the outcome classes end."""

    trust: float = number(0.5, "team mean", 0, 1, "documented", "a team trusts (calibration target of the 57/14% figure)")
    reliance: float = number(0.5, "team mean", 0, 1, "documented", "and uses")
    purgatory: float = number(0.2, "share of planners", 0, 1, "judged", "final reliance below this: pilot purgatory")
    scaled: float = number(0.6, "share of planners", 0, 1, "judged", "final reliance from here on: scaled")
    scaled_units: float = number(0.75, "share of units", 0, 1, "judged", "live at the end, for scaled")
    survival: int = count(156, "weeks", 1, 5200, "documented", "three years in production (Gartner)")


@group
class Parameters:
    """One configuration of the model, complete and checked."""

    def validate(self, prefix: str) -> None:
        """Refuse a portfolio of no use case, of too many, of one twice, and an order of use cases that are not there."""
        present = [each.name for each in self.usecases]
        if not 1 <= len(present) <= MOST_USE_CASES or len(set(present)) < len(present):
            raise InvalidInput(prefix + "usecases", present, f"1 to {MOST_USE_CASES} use cases, each once")
        for name in self.strategy.portfolio.listed:
            if name not in present:
                raise InvalidInput(prefix + "strategy.portfolio.listed", name, "use cases of the portfolio: " + nearest(name, present))

    weeks: int = count(260, "weeks", 1, 5200, "judged", "five years: the three-year survival figure needs it")
    usecases: tuple[UseCase, ...] = groups(UseCase(), "the portfolio: files of configs/usecase, or mappings of what stands in one")
    enterprise: EnterpriseSize = field(default_factory=EnterpriseSize)
    maturity: Maturity = field(default_factory=Maturity)
    network: Network = field(default_factory=Network)
    strategy: Strategy = field(default_factory=Strategy)
    forecast: Forecast = field(default_factory=Forecast)
    platform: Platform = field(default_factory=Platform)
    support: Support = field(default_factory=Support)
    utility: Utility = field(default_factory=Utility)
    trust: Trust = field(default_factory=Trust)
    sharing: Sharing = field(default_factory=Sharing)
    habit: Habit = field(default_factory=Habit)
    people: People = field(default_factory=People)
    override: Override = field(default_factory=Override)
    team: TeamRules = field(default_factory=TeamRules)
    sponsor: Sponsor = field(default_factory=Sponsor)
    review: Review = field(default_factory=Review)
    disturbance: Disturbance = field(default_factory=Disturbance)
    correction: Correction = field(default_factory=Correction)
    value: Value = field(default_factory=Value)
    outcomes: Outcomes = field(default_factory=Outcomes)


#: Every parameter by its dotted name.
RECORDS: dict[str, Record] = dict(walk(Parameters))
