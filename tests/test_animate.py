"""The organisation as a film."""

from __future__ import annotations

import itertools
import json
import shutil

import numpy as np
import pytest
from conftest import TINY, contents
from PIL import Image, ImageSequence

from sim import RolloutModel
from sim.state import team_means, unit_means
from sim.views.figures.film import SHADES

OPTIONS = ["enterprise=small", "weeks=40", "every=20", "format=gif", "fps=1"]


def frames(path):
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB"), float) for frame in ImageSequence.Iterator(film)]


def test_the_film_moves_and_is_the_same_again(call, tmp_path):
    code, out, err = call("animate", *OPTIONS, "output=a")
    assert code == 0 and "3 pictures" in out, err
    shown = frames(tmp_path / "a" / "animation.gif")
    assert len(shown) == 3 and shown[0].shape[1] == 1000
    assert all(np.abs(a - b).mean() > 0.05 for a, b in itertools.pairwise(shown))
    assert call("animate", *OPTIONS, "output=b")[0] == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["pictures"] == 3


def test_what_is_drawn_is_the_planners_reliance():
    model = RolloutModel(enterprise=TINY, weeks=60, rng=1).run()
    units, teams = unit_means(model.state, "reliance"), team_means(model.state, "reliance")
    users = model.state.users["reliance"]
    assert len(units) == TINY["units"] and len(teams) == len(model.state.teams)
    assert np.average(units, weights=model.state.units["users"]) == pytest.approx(users.mean())
    first, last = model.state.teams["first"][1], model.state.teams["last"][1]
    assert teams[1] == pytest.approx(users[first:last].mean())
    lightness = [sum(SHADES(x)[:3]) for x in np.linspace(0, 1, 11)]
    assert all(a > b for a, b in itertools.pairwise(lightness))  # darker where more rely


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("strategies=[]", "strategies: []"),
        ("strategies=[balanced,model_first,big_bang,adaptive]", "strategies: "),
        ("strategies=[perfect]", "strategy: 'perfect'"),
        ("every=0", "every: 0"),
        ("fps=1000", "fps: 1000"),
        ("format=avi", "format: 'avi'"),
        ("engine=steam", "engine: 'steam'"),
        ("every=1 weeks=2000", "every: 1"),
        ("usecases=[demand,promotion]", "usecases: ['demand', 'promotion']"),
    ],
)
def test_what_cannot_be_filmed_is_one_line(given, said, call, tmp_path):
    code, out, err = call("animate", *given.split(), "output=a")
    assert code == 2 and not out and err.startswith(f"error: {said}") and len(err.splitlines()) == 1
    assert not (tmp_path / "a").exists()


def test_mp4_needs_ffmpeg(call, tmp_path):
    code, _, err = call("animate", "enterprise=small", "weeks=20", "every=10", "format=mp4", "fps=1", "output=a")
    if shutil.which("ffmpeg"):
        assert code == 0 and (tmp_path / "a" / "animation.mp4").stat().st_size > 1000
    else:
        assert code == 2 and err.startswith("error: format: 'mp4' is not allowed; expected gif")
