"""Units and teams where nobody names them: by managers, or of planners who are tied to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse.csgraph import reverse_cuthill_mckee

from sim.layout import Layout, Ties
from sim.network import matrix
from sim.schema import InvalidInput

#: What stands for no manager, and for no unit.
NOBODY = -1


def inverse(order: np.ndarray) -> np.ndarray:
    """Place of each row in an order."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def near_equal(total: int, parts: int) -> np.ndarray:
    """Sizes of ``parts`` parts that differ by at most one."""
    return total // parts + (np.arange(parts) < total % parts)


# --------------------------------------------------------------------------- by managers


def place(
    homes: Sequence[str], drop: bool, at: Callable[[int], str], how: str, where: str, notes: list[str], what: str = "a department"
) -> np.ndarray:
    """Rows of the people who have a department; the others are refused, or dropped and counted.

    Args:
        homes: the department of each person, empty where there is none.
        drop: whether to leave out those who have none.
        at: place of a row, for the message.
        how: the setting that drops them, for the message.
        where: what the people were read from, for the note.
        notes: takes the note.
        what: what a person needs, in words.

    Raises:
        InvalidInput: naming the first one without, or that nobody is left.
    """
    has = np.array([bool(home) for home in homes], bool)
    if not has.all() and not drop:
        row = int(np.argmin(has))
        raise InvalidInput(at(row), homes[row], f"{what}; {how} leaves out people without")
    if not has.any():
        raise InvalidInput(where, "nobody is placed", f"at least one person with {what}")
    if not has.all():
        notes.append(f"{where}: dropped {int((~has).sum())} of {len(has)} people: without {what}")
    return np.flatnonzero(has)


def managers_of(names: Sequence[str], managers: Sequence[str], where: str, notes: list[str]) -> np.ndarray:
    """Row of each person's manager, NOBODY without one; who manages himself has none. Managers who are not listed are counted."""
    row_of = {name: row for row, name in enumerate(names)}
    rows = np.array([row_of.get(manager, NOBODY) if manager != name else NOBODY for name, manager in zip(names, managers, strict=True)])
    unknown = sum(bool(manager) and manager not in row_of for manager in managers)
    if unknown:
        notes.append(f"{where}: {unknown} people report to someone who is not among them, and count as without a manager")
    return rows


def teams_by_manager(unit_of: np.ndarray, manager: np.ndarray) -> np.ndarray:
    """Who leads each person's team: the manager, where he is in the same unit; shape (people,).

    Whose manager is elsewhere belongs to the team that he leads himself; who leads none, to a team of such people of the unit, which
    nobody leads (NOBODY).
    """
    inside = (manager != NOBODY) & (unit_of[manager] == unit_of)
    leads = np.zeros(len(manager), bool)
    leads[manager[inside]] = True
    return np.where(inside, manager, np.where(leads, np.arange(len(manager)), NOBODY))


def units_by_manager(manager: np.ndarray, at: Callable[[int], str]) -> np.ndarray:
    """Who heads each person's unit, where there are managers and no departments; shape (people,).

    Under one head of all, each of those who report to him and lead others heads a unit; he and the rest of those who report to him
    are one more. Under several heads each has his unit. Who neither has a manager nor leads belongs to none (NOBODY).

    Raises:
        InvalidInput: people manage each other in a circle.
    """
    own = np.arange(len(manager))
    leads = np.bincount(manager[manager != NOBODY], minlength=len(manager)) > 0
    top = _climb(np.where(manager == NOBODY, own, manager))
    circular = manager[top] != NOBODY
    if circular.any():
        raise InvalidInput(at(int(np.argmax(circular))), "a circle", "people who do not manage each other in a circle")
    heads = np.flatnonzero((manager == NOBODY) & leads)
    if len(heads) == 1:
        ends = (manager == NOBODY) | ((manager == heads[0]) & leads)
        top = _climb(np.where(ends, own, manager))
    return np.where((manager == NOBODY) & ~leads, NOBODY, top)


def _climb(above: np.ndarray) -> np.ndarray:
    """Where everybody's way up ends; who stands above himself is an end."""
    for _ in range(len(above).bit_length() + 1):
        above = above[above]
    return above


def seated(names: list[str], unit_of: np.ndarray, teams: Sequence[str], ties: Ties, user_names: list[str], notes: list[str]) -> Layout:
    """The layout of people whose unit and team are known; a team's name may recur in other units.

    Args:
        names: the units' names.
        unit_of: unit row of each person, all units in use.
        teams: team of each person.
        ties: rows of people.
        user_names: names of people; those of a team keep their order.
        notes: the layout's notes.
    """
    pair_of = {pair: row for row, pair in enumerate(dict.fromkeys(zip(unit_of.tolist(), teams, strict=True)))}
    pair_rows = np.array([pair_of[pair] for pair in zip(unit_of.tolist(), teams, strict=True)])
    order = np.lexsort((pair_rows, unit_of))  # stable
    in_order = list(dict.fromkeys(pair_rows[order].tolist()))
    pairs = list(pair_of)
    at = inverse(order)
    return Layout.of_sizes(
        names,
        np.bincount([pairs[row][0] for row in in_order]),
        np.bincount(pair_rows)[in_order],
        ties=(at[ties[0]], at[ties[1]]),
        team_names=[pairs[row][1] for row in in_order],
        user_names=[user_names[row] for row in order],
        notes=notes,
    )


# --------------------------------------------------------------------------- by ties


def neighbours_together(n: int, ties: Ties) -> np.ndarray:
    """Planner rows in reverse Cuthill-McKee order, in which those who are tied stand close; shape (n,)."""
    return reverse_cuthill_mckee(matrix(n, ties), symmetric_mode=True)


def with_teams(names: list[str], unit_of: np.ndarray, ties: Ties, team_size: int, user_names: list[str], notes: list[str]) -> Layout:
    """Form teams of about ``team_size`` in each unit, of planners who are tied to each other.

    A unit's planners are put in reverse Cuthill-McKee order of their own ties and cut into near-equal
    parts. All units are ordered at once: without the ties between units they are separate components.
    """
    inside = unit_of[ties[0]] == unit_of[ties[1]]
    order = neighbours_together(len(unit_of), (ties[0][inside], ties[1][inside]))
    order = order[np.argsort(unit_of[order], kind="stable")]
    sizes = np.bincount(unit_of)
    teams = np.maximum(1, (sizes / team_size + 0.5).astype(np.int64))
    at = inverse(order)
    return Layout.of_sizes(
        names,
        teams,
        np.concatenate([near_equal(size, parts) for size, parts in zip(sizes.tolist(), teams.tolist(), strict=True)]),
        ties=(at[ties[0]], at[ties[1]]),
        user_names=[user_names[row] for row in order],
        notes=notes,
    )
