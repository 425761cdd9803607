"""An organisation of one's own: read from CSV files, an edge list with departments, or a NetworkX graph.

What is not given is drawn from the maturity level. Nothing is guessed: a cell, a line or a tie that
cannot be used raises :class:`sim.schema.InvalidInput`, which names file and line; what is dropped
is counted in :attr:`sim.layout.Layout.notes`.
"""

from __future__ import annotations

from pathlib import Path

import networkx as nx

from sim.layout import Layout
from sim.organisation.edges import from_edges
from sim.organisation.files import COLUMNS, from_files
from sim.organisation.graphs import from_graph
from sim.parameters import Parameters
from sim.schema import InvalidInput


def layout(p: Parameters, graph: nx.Graph | None = None) -> Layout:
    """The layout of an enterprise that is read rather than generated.

    ``enterprise.source: files`` reads the folder; ``network.kind: edges`` reads the edge list and its
    departments; ``network.kind: graph`` takes ``graph``. Files are read once per change of a file.

    Raises:
        InvalidInput: naming the parameter, or file, line and column.
    """
    kind = p.network.kind
    if graph is not None and kind != "graph":
        raise InvalidInput("network.kind", kind, "graph, because a NetworkX graph is given")
    if p.enterprise.source == "files":
        if kind in ("edges", "graph"):
            raise InvalidInput("network.kind", kind, "ties.csv or a generated network, because enterprise.source is files")
        if not p.enterprise.folder:
            raise InvalidInput("enterprise.folder", "", "the folder with units.csv, teams.csv and users.csv")
        folder = Path(p.enterprise.folder)
        return from_files(folder, tuple(_changed(folder / f"{table}.csv") for table in COLUMNS))
    if kind == "edges":
        for name in ("edges", "labels"):
            if not getattr(p.network, name):
                raise InvalidInput(f"network.{name}", "", "the path of a file, because network.kind is edges")
        return from_edges(p.network, (_changed(Path(p.network.edges)), _changed(Path(p.network.labels))))
    if graph is None:
        raise InvalidInput("network", graph, "a NetworkX graph given as network=...")
    return from_graph(graph, p)


def _changed(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
