"""Mesa's own page of the model."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from experiments.lab.output import ROOT
from sim import RolloutModel

mesa_page = pytest.importorskip("sim.views.mesa_page", reason="the group mesa-page is not installed")


def test_what_it_lets_one_set_is_what_the_model_takes():
    made = mesa_page.parameters()
    start = {name: value["value"] for name, value in made.items()}
    model = RolloutModel(**start)
    model.step()
    assert model.parameters == RolloutModel(strategy="integration_first", maturity="middle", rng=1).parameters
    for name, value in made.items():
        for end in value.get("values", [value.get("min"), value.get("max")]):
            RolloutModel(**{**start, name: end}).step()


@pytest.mark.slow
def test_a_visitor_steps_a_model_of_their_own_and_nothing_leaves_the_machine(browser):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sim.views.mesa_page", "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(240):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.5)
        asked, pages = [], []
        for _ in range(2):
            pages.append(browser.new_page(viewport={"width": 1400, "height": 900}))
            pages[-1].on("request", lambda request: asked.append(request.url))
            pages[-1].goto(f"http://127.0.0.1:{port}/", timeout=60_000)
            pages[-1].get_by_text("Time: 0.0").wait_for(timeout=60_000)
        pages[0].get_by_role("button", name="Step").click()
        pages[0].get_by_text("Time: 1.0").wait_for(timeout=60_000)
        assert pages[1].get_by_text("Time: 0.0").is_visible()
        pages[0].locator("main img").first.wait_for(timeout=60_000)
        assert pages[0].get_by_text("Console").count() == 0 and pages[0].get_by_text("AI rollout: one exact organisation").count()
        assert asked and all(url.startswith((f"http://127.0.0.1:{port}/", "data:", "blob:")) for url in asked)
        for page in pages:
            page.close()
    finally:
        server.terminate()
        server.wait(timeout=20)
