"""What a report says in sentences: the question, the answer with its uncertainty, and what a manager asks next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sim.names import listed
from sim.views.leads import Lead
from sim.views.report.read import Sensitivity
from sim.views.words import millions, percent, strategy_label

#: Tables' rows by maturity and strategy.
Cells = Mapping[tuple[str, str], Any]
#: Where differences between organisations come from, and the column of ``variance.csv``.
WHENCE = {"who it is": "organisation", "luck": "luck", "parameters": "parameters"}


def question(strategies: Sequence[str], maturities: Sequence[str], weeks: int) -> str:
    """What was asked, in a sentence."""
    at = f"at {listed(maturities)} maturity"
    if len(strategies) == 1:
        return f"What does {strategy_label(strategies[0])} come to {at} over {weeks} weeks?"
    named = listed([strategy_label(s) for s in strategies], "or") if len(strategies) <= 4 else f"Which of {len(strategies)} strategies"
    return (
        f"{named[0].upper() + named[1:]}: which earns more {at} over {weeks} weeks?"
        if len(strategies) <= 4
        else f"{named} earns most {at} over {weeks} weeks?"
    )


def answer(leads: Sequence[Lead], weeks: int, strategies: int) -> str:
    """The finding in one sentence, with 95% intervals."""
    if strategies == 1:
        parts = [f"{lead.worth.written(millions)} at {lead.maturity} maturity" for lead in leads]
        return f"{_capital(leads[0].best)} comes to {listed(parts)}, after {weeks} weeks."
    if any(lead.drawn for lead in leads):
        return _of_organisations(leads, weeks)
    one_best = len({lead.best for lead in leads}) == 1 and all(lead.decided for lead in leads)
    earns = {lead.worth.value >= 0 for lead in leads}
    if one_best and strategies == 2 and len(leads) > 1 and len(earns) == 1:
        rival = strategy_label(leads[0].rival)
        parts = [f"by {lead.difference.written(millions)} at {lead.maturity} maturity" for lead in leads]
        verb = "earns more" if earns == {True} else "loses less"
        return f"{_capital(leads[0].best)} {verb} than {rival} at every maturity compared: {listed(parts)}, over {weeks} weeks."
    parts = [_one_lead(lead) for lead in leads]
    if len(leads) == 1:
        return f"{parts[0][0].upper()}{parts[0][1:]}, over {weeks} weeks."
    start = f"{_capital(leads[0].best)} is ahead at every maturity compared" if one_best else "It depends on maturity"
    if not any(lead.decided for lead in leads):
        start = "These runs do not decide it"
    return f"{start}: {'; '.join(parts)}, over {weeks} weeks."


def _of_organisations(leads: Sequence[Lead], weeks: int) -> str:
    """The finding over a population: for how many organisations which strategy is best, and by how much on average."""
    best, start = {lead.best for lead in leads if lead.decided}, ""
    one_rival = len({lead.rival for lead in leads}) == 1
    if not best and any(lead.rival for lead in leads):
        start = "These organisations do not decide it: "
    elif len(leads) > 1 and len(best) == 1 and all(lead.decided and lead.often.low > 0.5 for lead in leads) and one_rival:
        how_many = "every organisation that was run" if all(x.often.value == 1 for x in leads) else "most organisations, and not for all"
        often = listed([f"{lead.often.written(percent)} at {lead.maturity}" for lead in leads])
        more = listed([millions(lead.difference.value) for lead in leads])
        return (
            f"{_capital(leads[0].best)} is the better choice for {how_many}: for {often} maturity, "
            f"by {more} more than {strategy_label(leads[0].rival)} on average over {weeks} weeks."
        )
    elif len(leads) > 1:
        always = len(best) == 1 and all(lead.decided for lead in leads)
        start = (
            f"{_capital(leads[0].best)} is best most often at every maturity: "
            if always
            else "It depends on maturity, and on the organisation: "
        )
    said = f"{start}{'; '.join(_for_how_many(lead) for lead in leads)}, over {weeks} weeks."
    return said[0].upper() + said[1:]


def _alone_or_same(lead: Lead) -> str:
    """Where there is nothing to compare, or no difference; else nothing."""
    where, best = f"at {lead.maturity} maturity", strategy_label(lead.best)
    if not lead.rival:
        return f"{where} {best} alone has runs"
    return f"{where} {best} and {strategy_label(lead.rival)} came to the same" if lead.same else ""


def _for_how_many(lead: Lead) -> str:
    where, best, rival = f"at {lead.maturity} maturity", strategy_label(lead.best), strategy_label(lead.rival)
    if plain := _alone_or_same(lead):
        return plain
    if not lead.decided and lead.difference.value >= 0:
        return f"{where} {best} and {rival} are not told apart ({best} best for {lead.often.written(percent)})"
    by = (
        f"{millions(lead.difference.value)} more than {rival} on average"
        if lead.difference.value >= 0
        else f"but {rival} earns more on average"
    )
    return f"{where} {best} is best for {lead.often.written(percent)} of organisations, {by}"


def _one_lead(lead: Lead) -> str:
    where, best, rival = f"at {lead.maturity} maturity", strategy_label(lead.best), strategy_label(lead.rival)
    if plain := _alone_or_same(lead):
        return plain
    gap = lead.difference.written(millions)
    if not lead.decided:
        return f"{where} these runs do not tell {best} and {rival} apart (difference {gap})"
    verb = f"earns {gap} more" if lead.worth.value >= 0 else f"loses {gap} less"
    return f"{where} {best} {verb} than {rival}"


def glance(leads: Sequence[Lead], endings: Cells, returns: Cells, spans: Cells) -> list[tuple[str, list[str]]]:
    """What a manager asks next: each question with an answer per maturity."""
    rows: list[tuple[str, list[str]]] = []
    if leads[0].rival:
        drawn = any(lead.drawn for lead in leads)
        ahead = ["nobody" if lead.same else strategy_label(lead.best) if lead.decided else "not decided" for lead in leads]
        if not drawn or len(set(ahead)) > 1 or not all(lead.decided for lead in leads):
            rows.append(("Who is best?" if drawn else "Who earns more?", ahead))
        if drawn:
            one = [f"{_unbroken(low)} to {_unbroken(high)}" for low, high in (lead.within for lead in leads)]
            mean = [lead.difference.written(millions) for lead in leads]
            rows.append(("By how much on average, and in nine of ten?", [f"{a}; {b}" for a, b in zip(mean, one, strict=True)]))
            rows.append(("For how many organisations is it best?", [lead.often.written(percent) for lead in leads]))
        else:
            rows.append(("By how much?", [lead.difference.written(millions) for lead in leads]))
            rows.append(("In how many pairs of runs?", [lead.wins.written(percent) for lead in leads]))
    best = strategy_label(leads[0].best) if len({lead.best for lead in leads}) == 1 else "the best"
    rows.append((f"What does {best} come to?", [lead.worth.written(millions) for lead in leads]))
    paid = [returns[lead.maturity, lead.best] for lead in leads]
    rows.append(("When has it paid back?", [_paid(row) for row in paid]))
    leading = list(dict.fromkeys(name for lead in leads for name in (lead.best, lead.rival) if name))
    rows += [(f"How does {strategy_label(s)} end?", [endings[lead.maturity, s]["most"] for lead in leads]) for s in leading]
    longest = "What holds {} back longest?"
    return rows + [(longest.format(strategy_label(s)), [_longest(spans[lead.maturity, s]) for lead in leads]) for s in leading]


def whence(variance: pd.DataFrame, leads: Sequence[Lead]) -> list[tuple[str, list[str]]]:
    """Where it comes from that organisations differ: in the lead, where the first strategy is compared with others."""
    said = []
    for lead in leads:
        named = variance["of"].isin([f"{lead.best} - {lead.rival}", f"{lead.rival} - {lead.best}"])
        rows: Any = variance[(variance["maturity"] == lead.maturity) & named].dropna().to_dict("records")
        shares = [(what, percent(rows[0][column])) for what, column in WHENCE.items()] if rows else []
        said.append(", ".join(f"{what} {share}" for what, share in shares) or "–")
    return [("What makes the difference differ?", said)] if set(said) != {"–"} else []


def _unbroken(value: float) -> str:
    """EUR in millions, whose minus sign stays on its line."""
    return millions(value).replace("−", "−\u2060")


def _paid(row: dict[str, Any]) -> str:
    (week, spread), paid = row["payback"], row["paid"]
    if week == "never":
        return "never" if paid == "0%" else f"never in most runs; in {paid} of runs it has"
    return f"week {week} ({spread}), in {paid} of runs"


def _longest(spans: Sequence[dict[str, Any]]) -> str:
    """The constraint that binds for most weeks, once the gate is passed, and when."""
    real = [span for span in spans if span["key"] not in ("none", "gate")] or [span for span in spans if span["key"] != "none"]
    if not real:
        return "nothing"
    longest = max(real, key=lambda span: span["to"] - span["from"])
    return f"{longest['what']}, weeks {longest['from']}–{longest['to']} ({longest['share']:.0%} of runs)"


def trust(counts: dict[str, int], strategies: int, sensitivity: Sensitivity | None, fitted: int = 0) -> list[tuple[str, str]]:
    """What the answer rests on, and what would change it."""
    said = []
    if sensitivity:
        said.append(("What would change it?", sensitivity.findings[0]))
    total = sum(counts.values()) - counts["choice"]
    flattered = " The leader was picked by these very runs, which flatters it a little." if strategies > 2 else ""
    drawn = f" {fitted} of them are drawn from what published figures leave open." if fitted else ""
    said.append(
        (
            "How far to trust it?",
            f"{counts['judged']} of the model's {total} numbers are judged, {counts['documented']} documented, {counts['calibrated']} calibrated "
            f"and {counts['measured']} measured.{drawn} Read who leads, and why, before you read euros.{flattered}",
        )
    )
    return said


def _capital(strategy: str) -> str:
    label = strategy_label(strategy)
    return label[:1].upper() + label[1:]
