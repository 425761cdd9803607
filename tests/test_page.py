"""The live page in a real browser, its server, and the process of its models."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
import time
import urllib.request
import zipfile

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml

from experiments.lab.output import ROOT
from sim import RolloutModel
from sim.play.levers import FILES
from sim.play.session import Scenario


@pytest.fixture(scope="module")
def url():
    """A server in a process of its own, on a free port."""
    server = subprocess.Popen(
        [sys.executable, "-m", "sim.views.page", "--port", "0", "--no-browser"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    yield re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
    server.terminate()
    said = server.communicate(timeout=20)[0]
    assert "Traceback" not in said, said


class Visit:
    """A browser's page, and all that left it or went wrong in it."""

    def __init__(self, browser, url, width=1280, height=800):
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.asked, self.wrong = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.goto(url, timeout=120_000)  # the machine may be busy
        self.page.locator("canvas").first.wait_for(timeout=60_000)
        self.page.get_by_text("The pilot has not begun").or_(self.page.get_by_text("planners")).first.wait_for()

    def model(self, name, what="value"):
        return self.page.evaluate(f"Bokeh.documents[0].get_model_by_name('{name}').{what}")

    def data(self, figure):
        """What a figure's lines are drawn from."""
        return self.page.evaluate(
            f"Bokeh.documents[0].get_model_by_name('{figure}').renderers.map(r => Object.fromEntries(Object.entries(r.data_source.data).map(([k, v]) => [k, Array.from(v)])))"
        )

    def press(self, label):
        self.page.get_by_role("button", name=label, exact=True).click()

    def until(self, said):
        self.page.wait_for_function(
            f"() => {{ const m = name => Bokeh.documents[0].get_model_by_name(name); return {said} }}", timeout=30_000
        )

    def send(self, name, **values):
        """What a visitor who does not use our widgets might send."""
        self.page.evaluate(f"Bokeh.documents[0].get_model_by_name('{name}').setv({json.dumps(values)})")

    def check(self, url):
        """Nothing has left the page, and nothing has gone wrong in it."""
        assert not self.wrong, self.wrong
        assert self.asked and all(asked.startswith((url, "data:", "blob:", url.replace("http", "ws"))) for asked in self.asked), self.asked


@pytest.fixture(scope="module")
def opened(browser, url):
    """A page that is opened once: that takes five seconds of a core."""
    return Visit(browser, url)


@pytest.fixture
def at_the_start(opened, url):
    """The page opened once, put back to week 0."""
    opened.press("Reset")
    opened.until("m('week').value === 0 && m('status').text === ''")
    yield opened
    opened.check(url)


@pytest.fixture
def visit(browser, url):
    """Open a page of the test's own."""
    open_now = []

    def go(**given):
        open_now.append(Visit(browser, url, **given))
        return open_now[-1]

    yield go
    for one in open_now:
        one.page.close()
        one.check(url)


def test_play_pause_step_jump_and_reset(visit):
    v = visit()
    v.press("Step")
    v.until("m('week').value === 1")
    v.press("Play")
    v.until("m('week').value > 3 && m('play').label === 'Pause'")
    v.press("Pause")
    v.until("m('play').label === 'Play'")
    v.page.wait_for_timeout(600)
    here = v.model("week")
    v.page.wait_for_timeout(800)
    assert v.model("week") == here  # it stands still
    handle = v.page.locator(".noUi-handle").first.bounding_box()
    v.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    v.page.mouse.down()
    v.page.mouse.move(handle["x"] + 150, handle["y"] + 5, steps=4)
    v.page.mouse.up()
    whole = "m('adoption').renderers.every(r => [undefined, 0, m('week').value].includes(r.data_source.data.week?.length))"
    v.until(f"m('adoption').renderers[0].data_source.data.week.length && {whole} && m('week').value > {here} + 20")
    week = v.model("week")
    lines = [d for d in v.data("adoption") if d["week"]]
    assert [len(d["week"]) for d in lines] == [week, week]
    alone = RolloutModel(parameters=Scenario().parameters("integration_first"), rng=Scenario().seed)
    while alone.week < week:
        alone.step()
    np.testing.assert_allclose(lines[0]["reliance"], alone.state.weekly["reliance"][:week])
    assert f"{lines[0]['reliance'][-1]:.0%} rely" in v.page.locator(".card").first.inner_text()
    v.press("Reset")
    v.until("m('week').value === 0 && m('adoption').renderers.every(r => r.data_source.data.week.length === 0)")


def test_strategies_are_chosen_and_two_are_compared(visit):
    v = visit()
    v.send("population", value="article")  # an organisation of a population may pilot for longer than sixty weeks, whatever it does
    v.page.get_by_text("One exact organisation, as configured").wait_for()
    v.send("strategies", value=["big_bang", "balanced", "model_first"])
    v.until("m('shown').labels.length === 3 && m('verdicts').text.includes('balanced')")
    v.page.locator(".card").nth(2).wait_for()
    assert v.page.locator(".card").count() == 3 and "big-bang" in v.page.locator(".card").first.inner_text()
    v.page.get_by_role("button", name="✕").or_(v.page.locator(".choices__button")).first.click()
    v.until("m('shown').labels.length === 2")
    v.send("week", value_throttled=60)
    v.until("m('week').value === 60")
    first, second = (d["reliance"] for d in v.data("adoption")[:2])
    assert len(first) == len(second) == 60 and first != second
    events = v.model("events", "text")
    v.press("model-first")
    v.until(f"m('events').text !== {json.dumps(events)}")


def test_a_unit_opens_and_shows_its_planners(at_the_start):
    v = at_the_start
    v.send("week", value_throttled=80)
    v.until("m('week').value === 80")
    canvas = v.page.locator("section.map .bk-Canvas, section.map canvas").first.bounding_box()
    at = v.page.evaluate("""() => {
        const view = Object.values(Bokeh.index.roots ?? Bokeh.index).map(v => v).find(v => v.model.name === 'map');
        const units = view.model.renderers[1].data_source.data;
        return [view.frame.x_scale.compute(units.x[0]), view.frame.y_scale.compute(units.y[0])];
    }""")
    v.page.mouse.click(canvas["x"] + at[0], canvas["y"] + at[1])
    v.until("m('close').visible && m('map').renderers.at(-1).data_source.data.reliance.length > 0")
    people = v.data("map")[-1]
    assert len(people["reliance"]) == 64 and set(people["used"]) <= {"planned on the forecast", "own method"}
    v.press("Show all units")
    v.until("!m('close').visible")


def test_a_lever_moves_the_run_and_can_be_put_back(at_the_start):
    v = at_the_start
    v.send("week", value_throttled=100)
    v.until("m('week').value === 100")
    before = v.data("adoption")[0]["reliance"]
    v.send("maturity.budget", value_throttled=5.0)
    v.until("m('maturity.budget').title.endsWith('(moved)')")
    assert v.data("adoption")[0]["reliance"] != before and v.model("week") == 100
    v.press("Levers as configured")
    v.until("m('maturity.budget').title === 'Central team, per unit'")
    assert v.data("adoption")[0]["reliance"] == before


def test_it_says_whose_runs_it_shows(at_the_start):
    v = at_the_start
    v.page.get_by_text(f"Organisation {Scenario().seed} of the calibrated population, middle maturity").wait_for()
    budget = v.model("maturity.budget")
    v.send("population", value="article")
    v.page.get_by_text("One exact organisation, as configured").wait_for()
    v.until("m('maturity.budget').value === 1.5")
    v.send("population", value="calibrated")
    v.until(f"m('maturity.budget').value === {budget}")


def test_scenario_and_run_are_downloaded(at_the_start):
    v = at_the_start
    v.press("Step")
    v.until("m('week').value === 1")
    with v.page.expect_download() as download:
        v.press("Save scenario")
    saved = yaml.safe_load(download.value.path().read_text())
    assert download.value.suggested_filename == "scenario.yaml" and saved["strategies"] == ["integration_first", "model_first"]
    with v.page.expect_download() as download:
        v.press("Export run")
    assert "model_first/weekly.csv" in zipfile.ZipFile(download.value.path()).namelist()


def test_two_visitors_do_not_share_a_model(visit, at_the_start):
    a, b = visit(width=1920, height=1080), at_the_start
    a.send("maturity", value="low")
    a.send("week", value_throttled=90)
    a.until("m('week').value === 90")
    b.press("Step")
    b.until("m('week').value === 1")
    assert b.model("maturity") == "middle" and a.model("week") == 90 and len(a.data("adoption")[0]["week"]) == 90


@pytest.mark.parametrize(
    ("widget", "values", "said"),
    [
        ("maturity", {"value": "<img src=x onerror=alert(1)>"}, "maturity"),
        ("strategies", {"value": ["../../../etc/passwd"]}, "strategy"),
        ("strategies", {"value": []}, "strategies"),
        ("population", {"value": "mine"}, "population"),
        ("seed", {"value": -5}, "seed"),
        ("week", {"value_throttled": 10**9}, "week"),
        ("maturity.budget", {"value_throttled": 1e12}, "maturity.budget"),
        ("shown", {"active": 17}, "shown"),
    ],
)
def test_hostile_input_is_one_line_in_the_page_and_changes_nothing(at_the_start, widget, values, said):
    v = at_the_start
    v.press("Step")
    v.until("m('week').value === 1")
    before = v.data("adoption")
    v.send(widget, **values)
    v.until("m('status').text.includes('error:')")
    shown = v.page.locator(".error").first.inner_text()
    assert shown.startswith(f"error: {said}") and "is not allowed" in shown
    assert v.data("adoption") == before
    v.press("Step")
    v.until("m('week').value === 2")  # it goes on


def test_the_server_gives_nothing_but_the_page(url):
    for path in ("../pyproject.toml", "static/../../../../etc/passwd", "%2e%2e/pyproject.toml", "admin"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url + path, timeout=20)
        assert refused.value.code in (400, 403, 404)


def test_a_message_that_is_too_large_or_no_message_ends_its_own_visit_only(visit, at_the_start):
    v, other = visit(), at_the_start
    v.page.evaluate("() => { const s = Bokeh.documents[0]; s.get_model_by_name('status').setv({text: 'x'.repeat(400000)}) }")
    v.page.wait_for_timeout(500)
    other.press("Step")
    other.until("m('week').value === 1")
    v.wrong.clear()  # the connection that was closed on it is said in its console


def test_a_step_of_a_thousand_planners_is_soon_on_the_screen(visit, capsys):
    """Printed, and far within a bound that only a mistake would break: the machine may be busy."""
    v = visit()
    v.send("enterprise.units", value_throttled=16)
    v.until("m('week').value === 0 && m('map') && m('enterprise.units').value === 16")
    v.send("week", value_throttled=100)
    v.until("m('week').value === 100")
    took = []
    for week in range(101, 111):
        begun = time.perf_counter()
        v.press("Step")
        v.until(f"m('week').value === {week}")
        v.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        took.append(time.perf_counter() - begun)
    with capsys.disabled():
        print(f" step to screen, 1,024 planners, two strategies: {np.median(took):.2f} s ", end="")
    assert np.median(took) < 3


@pytest.fixture
def server():
    """Starts servers of their own; yields how, with the process, its address and the process of its models."""
    started = []

    def start(*arguments, path=""):
        process = subprocess.Popen(
            [sys.executable, "-m", "sim.views.page", "--port", "0", "--no-browser", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"PYTHONPATH": str(path)} if path else None,
        )  # fmt: skip
        started.append(process)
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
        return process, address, psutil.Process(process.pid).children()[0]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_opened_while_the_model_is_loaded_it_says_so_and_turns_into_the_page(browser, server, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(  # the model comes late enough to be waited for
        "import sys, time\n\nclass Slow:\n    def find_spec(name, path=None, target=None):\n        if name == 'sim.model':\n"
        "            time.sleep(6)\n\nsys.meta_path.insert(0, Slow)\n"
    )
    _, address, _ = server(path=tmp_path)
    page = browser.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda message: wrong.append(message.text) if message.type == "error" and "favicon" not in message.location["url"] else None,
    )
    page.goto(address + "start", wait_until="commit")
    page.get_by_text("Loading the model").wait_for()
    page.locator(".card").first.wait_for()
    assert page.url == address and page.locator("section.map canvas").count() and not page.get_by_text("Loading the model").count()
    page.get_by_role("button", name="Step", exact=True).click()
    page.wait_for_function("() => Bokeh.documents[0].get_model_by_name('week').value === 1")
    page.goto(address + "start")
    assert page.url == address and wrong == []


@pytest.mark.fault("files", "names of units that are HTML, formulas, or as long as can be", "shown as text, cut to the room there is")
def test_an_organisation_of_ones_own_is_shown_whatever_its_names(browser, server, company, tmp_path):
    names = {"Brazil": "<img src=x onerror=alert(1)>", "Mexico": r"$$\frac{1}{2}$$ and \[x^2\]", "Canada": "Supply " * 28 + "Chai"}
    for file in ("units.csv", "teams.csv"):
        table = pd.read_csv(tmp_path / company / file)
        table.assign(unit=table["unit"].replace(names)).to_csv(tmp_path / company / file, index=False)
    _, address, _ = server("--organisation", str(tmp_path / company))
    v = Visit(browser, address)
    assert v.page.get_by_text(f"Organisation {Scenario().seed} of the population «mine», middle maturity").count() == 1
    assert v.model("enterprise") == FILES and v.page.locator("option:checked", has_text=company).count() == 1
    v.send("week", value_throttled=80)
    v.until("m('week').value === 80")
    assert set(v.data("map")[1]["name"]) == {*names.values(), "United States"}
    assert max(len(line) for label in v.data("map")[1]["label"] for line in label.split("\n")) <= 18
    assert v.page.get_by_text("<img src=x onerror=alert(1)> starts").count()
    assert v.model("maturity.completeness", "disabled") and v.model("network", "disabled") and not v.model("trust.loss", "disabled")
    assert v.page.locator("mjx-container").count() == 0
    v.send("enterprise.units", value_throttled=20)
    v.until("m('status').text.includes('the units of the files')")
    v.press("Step")
    v.until("m('week').value === 81")
    assert v.wrong == [] and all(asked.startswith((address, address.replace("http", "ws"), "data:", "blob:")) for asked in v.asked)


@pytest.mark.fault("process", "SIGKILL to the process of the page's models", "another one takes up every session where it was")
def test_killed_the_process_of_the_models_is_replaced_and_nothing_is_lost(browser, server):
    _, address, models = server()
    v, other = Visit(browser, address), Visit(browser, address)
    for visitor, week in ((v, 60), (other, 30)):
        visitor.send("week", value_throttled=week)
        visitor.until(f"m('week').value === {week}")
    before, others = v.data("adoption"), other.data("adoption")
    models.kill()
    v.press("Step")
    v.until("m('week').value === 61")
    other.press("Step")
    other.until("m('week').value === 31")
    for now, then, visitor in ((v.data("adoption"), before, 60), (other.data("adoption"), others, 30)):
        assert [line["reliance"][:visitor] for line in now] == [line["reliance"] for line in then]
    assert v.wrong == other.wrong == []


@pytest.mark.fault("process", "SIGKILL to the page's server", "the process of its models ends, too")
def test_killed_the_server_leaves_no_process_behind(server):
    process, _, models = server()
    process.kill()
    assert models.wait(20) is None or not models.is_running()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "error: --port: 99999 is not allowed"),
        (["--organisation", ""], "error: --organisation: '' is not allowed"),
        (["--organisation", "two\nlines"], "error: --organisation: 'two\\nlines' is not allowed"),
        (["--organisation", "${oc.env:HOME}"], "error: --organisation: '${oc.env:HOME}' is not allowed"),
        (["--organisation", "no_such_folder"], "error: file: 'no_such_folder/units.csv' is not allowed"),
        (["--organisation", "configs"], "error: file: 'configs/units.csv' is not allowed"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
def test_bad_arguments_are_one_line(arguments, said, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["page", *arguments])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("sim.views.page", run_name="__main__")
    err = capsys.readouterr().err
    assert stopped.value.code == 2 and err.startswith(said) and len(err.splitlines()) == 1, err
