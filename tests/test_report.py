"""The report: what it says is what the results folder holds, names stay text, nothing leaves the page, and it prints."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from conftest import contents, on_one, plain

from experiments import compare, sensitivity
from experiments.lab import config as entry
from experiments.lab import records
from experiments.report import main
from sim import RolloutModel
from sim.bottleneck import CONSTRAINTS, bottleneck
from sim.measures import UNIT_ENDS
from sim.parameters import RECORDS
from sim.schema import InvalidInput
from sim.views.report.render import report
from sim.views.words import CLASS_LABELS, millions

SMALL = ["enterprise=small", "weeks=110", "executor=serial"]
HOSTILE = ["<script>alert(1)</script>", "$\\frac{1$", '"]]>--><img src=x onerror=alert(1)>', "{{ 7 * 7 }} & 'co'"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a small comparison, ``compared``, and ``run`` to run experiments there as from the command line."""
    place = tmp_path_factory.mktemp("work")

    def run(experiment, *arguments):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
            name = experiment.__name__.rsplit(".")[-1]
            patch.chdir(place)
            patch.setattr(sys, "argv", [name, *on_one(name, arguments)])
            entry.main(name, getattr(experiment, name))
        return stopped.value.code

    assert run(compare, *SMALL, "replications=7", "maturities=[low,high]", "output=compared") == 0
    drawn = ["population=calibrated", "usecases=[demand,promotion]", "replications=6", "maturities=[low,middle,high]"]
    assert run(compare, *SMALL, *drawn, "output=drawn") == 0
    return place, run


@pytest.fixture(scope="module")
def folder(work):
    return work[0] / "compared"


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.styled = [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.styled = tag == "style"

    def handle_endtag(self, tag):
        self.styled = False

    def handle_data(self, text):
        self.text += "" if self.styled else text + " "


# --------------------------------------------------------------------------- what compare records for it


def test_compare_keeps_how_units_ended_and_what_held_them_back(folder):
    units, held = pd.read_parquet(folder / "units"), pd.read_parquet(folder / "held")
    model = RolloutModel(strategy="model_first", maturity="high", enterprise="small", weeks=110, rng=4).run()
    of = {"strategy": "model_first", "maturity": "high", "replication": 3}

    def rows(table):
        return table[np.logical_and.reduce([table[key] == value for key, value in of.items()])]

    every, mine = model.units, rows(units)
    last = every[every["week"] == 109]
    assert mine["unit"].tolist() == [str(name) for name in last["unit"]] and mine["stage"].tolist() == [str(s) for s in last["stage"]]
    for name in UNIT_ENDS:
        assert mine[name].tolist() == last[name].tolist(), name
    live = every[every["stage"] == "live"].groupby("unit", observed=True)["week"].min()
    assert {u: int(w) for u, w in zip(mine["unit"], mine["went_live"], strict=True) if w == w} == live.to_dict()
    assert len(live) > 0
    np.testing.assert_allclose(mine["net"], every.groupby("unit", observed=True)["net"].sum().loc[mine["unit"].tolist()])

    looks = rows(held)
    assert looks["week"].tolist() == [13, 26, 39, 52, 65, 78, 91, 104, 110]
    for week, row in looks.set_index("week").iterrows():
        s = model.state
        found = bottleneck(s.weekly, s.unit_weekly, model.parameters, s.unit_names, s.units["users"], int(week))
        assert row["binds"] == found.constraint and row["using"] == found.using
        assert {name: row[name] for name in CONSTRAINTS} == found.held
    np.testing.assert_allclose(held[["using", *CONSTRAINTS]].sum(axis=1), 1)


@pytest.mark.usefixtures("undrawn")
def test_only_the_first_replications_are_looked_into(work, monkeypatch):
    place, run = work
    monkeypatch.setattr(compare, "LOOKED_INTO", 2)
    assert run(compare, *SMALL[:1], "weeks=20", "executor=serial", "replications=3", "maturities=[low]", "output=few") == 0
    assert set(pd.read_parquet(place / "few" / "held")["replication"]) == {0, 1}
    assert set(pd.read_parquet(place / "few" / "units")["replication"]) == {0, 1, 2}


# --------------------------------------------------------------------------- what it says


def test_the_report_says_what_the_folder_holds(folder):
    page = Page((folder / "report.html").read_text())
    text = plain(page.text)
    paired, summary = pd.read_csv(folder / "paired.csv"), pd.read_csv(folder / "summary.csv")
    net = paired[paired["measure"] == "net"].set_index("maturity")
    for maturity in ("low", "high"):
        row = net.loc[maturity]
        sign = 1 if row["difference"] >= 0 else -1
        low, high = sorted((sign * row["low"], sign * row["high"]))
        assert f"{millions(sign * row['difference'])} [{millions(low)}, {millions(high)}]" in text
    for _, row in summary[summary["measure"] == "net"].iterrows():
        assert millions(row["estimate"]) in text and f"{millions(row['low'])} to {millions(row['high'])}" in text
    for label in CLASS_LABELS.values():
        assert label in text
    for unit in pd.read_parquet(folder / "units")["unit"].unique():
        assert unit in text
    idle = re.compile(r"usecases|sharing\.|strategy\.portfolio\.")  # act among several use cases
    for name, record in RECORDS.items():
        if idle.match(name):
            assert name not in text
            continue
        assert name in text and record.note in html.unescape(page.text), name
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["configuration_sha256"] in text and all(c in text for c in manifest["files_sha256"].values())
    assert "report.html" not in manifest["files_sha256"] and "changed since" not in text
    assert {attributes["id"] for tag, attributes in page.tags if tag == "h2"} == {
        "compared", "value", "endings", "units", "binding", "change", "assumptions", "manifest",
    }  # fmt: skip
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a" and "href" in attributes}
    assert links <= {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    assert (folder / "report.html").stat().st_size < 5e6


def test_ids_are_unique_and_charts_are_whole_with_their_text_as_text(folder):
    page = (folder / "report.html").read_text()
    ids = [attributes["id"] for _, attributes in Page(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(drawings) == 5
    for drawing in drawings:
        tree = ElementTree.fromstring(drawing)
        assert tree.get("aria-label")
        assert any("maturity" in "".join(node.itertext()) for node in tree.iter("text"))
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawing))
        assert used <= {node.get("id") for node in tree.iter()}


def test_the_same_folder_gives_the_same_bytes(folder, tmp_path):
    written = (folder / "report.html").read_bytes()
    assert report(folder).encode() == written
    shutil.copytree(folder, tmp_path / "copy")
    before = contents(tmp_path / "copy")
    assert main([str(tmp_path / "copy")]) == 0
    assert contents(tmp_path / "copy") == before


def test_a_comparison_is_replaced_with_its_report(work):
    place, run = work
    again = [*SMALL[:1], "weeks=20", "executor=serial", "replications=2", "maturities=[low]", "output=again"]
    assert run(compare, *again) == 0
    first = contents(place / "again")
    (place / "again" / "letter.html").write_text("mine")
    assert run(compare, *again) == 0
    assert contents(place / "again") == {**first, "letter.html": b"mine"} and "report.html" in first  # what is not ours is never touched


def test_a_file_changed_afterwards_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    with (tmp_path / "copy" / "paired.csv").open("a") as file:
        file.write("\n")
    text = plain(Page(report(tmp_path / "copy")).text)
    assert text.count("changed since it was written") == 1


def test_one_strategy_many_strategies_and_many_units(work):
    place, run = work
    quick = ["weeks=20", "executor=serial", "replications=2", "enterprise.teams=1", "enterprise.users=2"]
    assert run(compare, *quick, "enterprise.units=40", "maturities=[low]", "strategies=[adaptive]", "output=one") == 0
    text = plain(Page((place / "one" / "report.html").read_text()).text)
    assert "40 business units" in text and "The 16 in the middle are left out here" in text and "Adaptive comes to" in text
    many = "[adaptive,balanced,big_bang,business_led,governance_first,no_platform]"
    assert run(compare, *quick, "enterprise.units=3", "maturities=[middle]", f"strategies={many}", "output=many") == 0
    page = (place / "many" / "report.html").read_text()
    assert page.count("<svg") == 6  # two of what binds
    text = plain(Page(page).text)
    assert all(name.replace("_", "-") in text for name in many[1:-1].split(",")) and "flatters it" in text


@pytest.fixture
def break_model_first(monkeypatch):
    """Make runs of model-first fail: those with a seed, or all."""
    real = records.run_key

    def these(*seeds):
        def key(parameters, seed):
            if parameters.strategy.name == "model_first" and (seed in seeds or not seeds):
                raise ValueError("<b>broken</b>")
            return real(parameters, seed)

        monkeypatch.setattr(records, "run_key", key)

    return these


def test_failed_runs_are_told(work, break_model_first):
    place, run = work
    break_model_first(2)
    assert run(compare, *SMALL[:1], "weeks=20", "executor=serial", "replications=4", "maturities=[low]", "output=failed") == 1
    text = plain(Page((place / "failed" / "report.html").read_text()).text)
    assert "1 of 8 runs failed and are left out." in text


@pytest.mark.fault("process", "all runs of a strategy fail (compare)", "recorded as failed; a dash in its place")
def test_a_strategy_all_of_whose_runs_fail_leaves_the_others_to_be_told(work, break_model_first):
    place, run = work
    break_model_first()
    assert run(compare, *SMALL[:1], "weeks=20", "executor=serial", "replications=3", "maturities=[low]", "output=half") == 1
    text = plain(Page((place / "half" / "report.html").read_text()).text)
    assert "3 of 6 runs failed and are left out." in text and "€" in text


def test_runs_are_kept_where_no_report_can_be_written(work, monkeypatch, capsys):
    place, run = work

    def broken(folder, _):
        raise InvalidInput("results", str(folder), "something else")

    monkeypatch.setattr("sim.views.report.render.write_report", broken)
    assert run(compare, *SMALL[:1], "weeks=20", "executor=serial", "replications=3", "maturities=[low]", "output=kept") == 1
    out, err = capsys.readouterr()
    assert plain(err).count("error: no report was written: results: ") == 1 and "report.html" not in plain(out)
    assert (place / "kept" / "runs").is_dir() and not (place / "kept" / "report.html").exists()


# --------------------------------------------------------------------------- names are text


@pytest.fixture(scope="module")
def hostile(work):
    """A comparison on an organisation, in a folder, under a strategy whose names are an attack; as small as can be."""
    place, run = work
    mine = place / "<b>mine"
    mine.mkdir()
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    (mine / "units.csv").write_text("unit\n" + "\n".join(quoted))
    (mine / "teams.csv").write_text("team,unit\n" + "".join(f"t{k},{name}\n" for k, name in enumerate(quoted)))
    (mine / "users.csv").write_text("user,team\n" + "".join(f"u{k},t{k // 2}\n" for k in range(2 * len(HOSTILE))))
    configs = place / "configs"
    shutil.copytree(entry.CONFIGS, configs)
    text = (configs / "strategy" / "balanced.yaml").read_text()
    text = re.sub(r"^(name|description):.*\n(  .*\n)*", "", text, flags=re.M)
    (configs / "strategy" / "evil.yaml").write_text(f'name: "<script>n()</script>"\ndescription: "<script>d()</script>"\n{text}')
    from sim import presets

    with pytest.MonkeyPatch.context() as patch:
        for module in (presets, entry):
            patch.setattr(module, "CONFIGS", configs)
        more = ["enterprise=from_files", 'enterprise.folder="<b>mine"', "strategies=[evil,model_first]", "maturities=[low,middle]"]
        assert run(compare, *more, "weeks=20", "executor=serial", "replications=2", "output=hostile") == 0
    return place / "hostile"


@pytest.mark.fault("files", "names and descriptions that hold HTML, script, TeX or a template (report)", "shown as text")
def test_names_are_escaped_wherever_they_appear(hostile):
    page = (hostile / "report.html").read_text()
    found = Page(page)
    assert not [tag for tag, _ in found.tags if tag in ("script", "img", "b", "iframe", "object")]
    assert not [a for _, attributes in found.tags for a in attributes if a.startswith("on")]
    for name in [*HOSTILE, "<script>n()</script>", "<script>d()</script>", "<b>mine"]:
        assert name in found.text, name
    (drawing,) = [svg for svg in re.findall(r"<svg.*?</svg>", page, re.S) if 'id="units-' in svg]
    drawn = ["".join(node.itertext()) for node in ElementTree.fromstring(drawing).iter("text")]
    for name in HOSTILE:
        assert name in drawn or name[:27] + "…" in drawn, name


# --------------------------------------------------------------------------- what would change the answer


@pytest.fixture(scope="module")
def analysed(work):
    place, run = work
    more = ["trajectories=4", "replications=2", "over=[trust.loss,value.worth,utility.threshold]"]
    assert run(sensitivity, *SMALL, *more, "maturity=low", "versus=model_first", "output=analysed") == 0
    return place / "analysed"


def test_a_sensitivity_analysis_of_the_same_base_is_told(folder, analysed, tmp_path):
    path = tmp_path / "with.html"
    assert main([str(folder), f"sensitivity={analysed}", f"output={path}"]) == 0
    page = path.read_text()
    text = plain(Page(page).text)
    assert page.count("<svg") == 6 and "integration-first − model-first at low maturity" in text
    said = pd.read_csv(analysed / "importance.csv")["parameter"].iloc[0]
    (drawing,) = [svg for svg in re.findall(r"<svg.*?</svg>", page, re.S) if 'id="deciding-' in svg]
    assert said in drawing and "3 parameters decide by how much" in text
    assert "Nothing has been varied" not in text and "Nothing has been varied" in (folder / "report.html").read_text()


@pytest.mark.fault("files", "a sensitivity analysis of another base, or an unfinished one (report)", "one line, exit code 2")
@pytest.mark.parametrize("change", ["weeks", "versus", "files", "unfinished"])
def test_a_sensitivity_analysis_of_something_else_is_refused(folder, analysed, tmp_path, capsys, change):
    other = tmp_path / "other"
    shutil.copytree(analysed, other)
    plan = json.loads((other / "plan.json").read_text())
    if change == "weeks":
        plan["parameters"]["weeks"] = 111
    elif change == "versus":
        plan["versus"] = "adaptive"
    elif change == "files":
        plan["input_files"] = {"units.csv": "0"}
    else:
        (other / "importance.parquet").unlink()
    (other / "plan.json").write_text(json.dumps(plan))
    before = contents(tmp_path)
    assert main([str(folder), f"sensitivity={other}", f"output={tmp_path / 'r.html'}"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: sensitivity: ") and err.count("\n") == 1 and contents(tmp_path) == before
    assert {"weeks": "there weeks is 111, here 110", "versus": "not of adaptive", "files": "its files differ", "unfinished": "finished"}[
        change
    ] in err


# --------------------------------------------------------------------------- what is refused


@pytest.mark.fault("files", "a folder that is no comparison, or a damaged one (report)", "one line, exit code 2, nothing written")
@pytest.mark.parametrize(
    "wrong", ["nothing", "file", "another kind", "no manifest", "a file short", "cut short", "no numbers", "hollow manifest"]
)
def test_what_is_no_comparison_is_refused(folder, tmp_path, capsys, wrong):
    place = tmp_path / "place"
    if wrong == "file":
        place.write_text("x")
    elif wrong != "nothing":
        shutil.copytree(folder, place)
        (place / "report.html").unlink()
    changed = {"another kind": ('"experiment": "compare"', '"experiment": "sweep"'), "hollow manifest": ('"versions"', '"editions"')}
    if wrong in changed:
        (place / "manifest.json").write_text((place / "manifest.json").read_text().replace(*changed[wrong], 1))
    elif wrong == "no manifest":
        (place / "manifest.json").unlink()
    elif wrong == "a file short":
        shutil.rmtree(place / "held")
    elif wrong == "cut short":
        (shard, *_) = sorted((place / "units").rglob("*.parquet"))
        shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    elif wrong == "no numbers":
        (place / "summary.csv").write_text("maturity,strategy\n")
    before = contents(tmp_path)
    assert main([str(place)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: results: ") and err.count("\n") == 1 and "Traceback" not in err
    assert contents(tmp_path) == before
    assert wrong != "another kind" or "compare, with its manifest.json, not one of sweep" in err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sensitivty=x", "did you mean sensitivity"),
        ("sensitivity", "one of the known names"),
        ("output=report.pdf", "ending in .html"),
        ("output=no/where.html", "a folder that exists"),
        ("sensitivity=", "a value, given once"),
        ("sensitivity=nowhere", "a results folder of sensitivity"),
    ],
)
def test_settings_that_cannot_be_are_refused(folder, given, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([str(folder), given]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_it_runs_as_a_command(folder, tmp_path):
    path = tmp_path / "by_command.html"
    done = subprocess.run(
        [sys.executable, "-m", "experiments.report", str(folder), f"output={path}"],
        capture_output=True, text=True, cwd=entry.CONFIGS.parent, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and "Written to" in done.stdout, done.stderr
    assert path.read_bytes() == (folder / "report.html").read_bytes()  # in another process, too


# --------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def four(work):
    """A comparison of four maturities that decides nothing."""
    assert work[1](compare, *SMALL[::2], "weeks=60", "replications=2", "maturities=[low,middle,high,homogeneous]", "output=four") == 0


@pytest.mark.parametrize(("which", "width"), [("compared", 400), ("compared", 1280), ("compared", 1920), ("hostile", 1280), ("four", 1280)])
def test_nothing_leaves_the_page_and_nothing_goes_wrong_in_it(browser, work, hostile, four, which, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.context.set_offline(True)
    path = work[0] / which / "report.html"
    page.goto(path.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()] and said == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # what is drawn lies inside its drawing, and no letter is cut off
    cut = page.evaluate("""() => [...document.querySelectorAll('svg')].flatMap(svg => { const box = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();
            return r.left < box.left - 2 || r.right > box.right + 2 || r.top < box.top - 2 || r.bottom > box.bottom + 2; }).map(t => t.textContent); })""")
    assert cut == []
    over = page.evaluate("""() => [...document.querySelectorAll('svg')].flatMap(svg => { const all = [...svg.querySelectorAll('text')]
        .map(t => [t.textContent, t.getBoundingClientRect()]); return all.flatMap(([a, r], i) => all.slice(i + 1).filter(([b, s]) =>
        Math.min(r.right, s.right) - Math.max(r.left, s.left) > 1 && Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top) > 0.45 * r.height
        ).map(([b, s]) => a + ' / ' + b)); })""")
    assert over == []
    page.close()


def assumed(folder, name):
    """What the report's table of assumptions says of a parameter."""
    return re.search(rf'<code>{re.escape(name)}</code></th><td class="left[^"]*">([^<]*)<', report(folder))[1]


def test_of_what_differs_between_organisations_the_assumptions_show_the_range(work):
    runs = pd.read_parquet(work[0] / "drawn" / "runs").query("strategy == 'model_first'")
    for name in ("trust.noise", "value.realised"):
        low, high = np.sort(runs.query("maturity == 'low'")[name])[[0, -1]]  # of six organisations, nine of ten are all
        assert assumed(work[0] / "drawn", name) == f"drawn, {low:.3g} to {high:.3g}"
    budgets = [f"drawn, {x.min():.3g} to {x.max():.3g} ({m})" for m, x in runs.groupby("maturity", sort=False)["maturity.budget"]]
    assert assumed(work[0] / "drawn", "maturity.budget").split("; ") == budgets
    assert (
        assumed(work[0] / "drawn", "trust.loss") == "0.13" and "by default" not in report(work[0] / "drawn").split("trust.noise")[1][:300]
    )
    assert "drawn, " not in report(work[0] / "compared")


def test_the_report_of_a_population_says_for_how_many_it_is_best_and_where_one_may_end(work):
    folder = work[0] / "drawn"
    text = plain((folder / "report.html").read_text(encoding="utf-8"))
    best = pd.read_csv(folder / "best.csv").sort_values("best", ascending=False, kind="stable").groupby("maturity").first()
    for maturity, row in best.iterrows():
        assert re.search(rf"[Aa]t {maturity} maturity [^;]*best for {row['best']:.0%}", text), maturity
    assert "one exact organisation" not in text and "organisations at each maturity, the same and with the same luck" in text
    assert "For how many organisations is it best?" in text and "What makes the difference differ?" not in text  # no two share a draw
    assert "nine of ten" in text


@pytest.mark.parametrize("name", ["compared", "drawn"])
def test_the_answer_prints_on_one_page_of_a4(browser, name, work, tmp_path):
    folder = work[0] / name
    page = browser.new_page()
    page.goto((folder / "report.html").as_uri())
    page.pdf(path=str(tmp_path / "report.pdf"), prefer_css_page_size=True, print_background=True)
    data = (tmp_path / "report.pdf").read_bytes()
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert {tuple(round(float(x)) for x in box) for box in boxes} == {(595, 842)}
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 900})  # the text of an A4 page, 182 mm at 96 dots an inch
    height = page.evaluate("document.getElementById('compared').getBoundingClientRect().top - document.body.getBoundingClientRect().top")
    assert height < (297 - 32) / 25.4 * 96
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()
