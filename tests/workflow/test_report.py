"""The report of a run opens in a browser, with its figure and without an error."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.workflow.conftest import Project

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium"),
]

# Goes where a reader would click, and leaves what was found in the page.
VISIT = """
<script>
const seen = {errors: [], widths: [], text: ""};
window.addEventListener("error", event => seen.errors.push(String(event.message)));
const error = console.error;
console.error = (...found) => { seen.errors.push(found.join(" ")); error(...found); };
const click = text => {
  const found = [...document.querySelectorAll("a, button, li, span")]
    .filter(node => node.textContent.trim() === text).pop();
  if (found) found.click();
};
const show = () => {
  seen.widths = [...document.querySelectorAll("img")].map(image => image.naturalWidth);
  seen.text = document.body.innerText;
  const result = document.createElement("pre");
  result.id = "visit";
  result.textContent = JSON.stringify(seen);
  document.body.append(result);
};
window.addEventListener("load", () => {
  setTimeout(() => click("Results"), 1000);
  setTimeout(() => document.querySelector("table button, table a")?.click(), 2000);
  setTimeout(show, 4000);
});
</script>
"""


def visit(report: Path) -> dict[str, Any]:
    """Opens a report in the browser, goes to its first figure, and tells what was seen."""
    page = report.with_name("visited.html")
    page.write_text(report.read_text().replace("<head>", f"<head>{VISIT}", 1))
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    answer = subprocess.run(
        [*command, "--virtual-time-budget=20000", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = re.search(r'<pre id="visit">(.*?)</pre>', answer.stdout, re.DOTALL)
    assert found is not None, answer.stderr
    return json.loads(html.unescape(found[1]))


def test_the_report_shows_the_figure_without_an_error(project: Project) -> None:
    status, output = project.run("--cores", "2")
    assert status == 0, output
    status, output = project.run("--report", "report.html")
    assert status == 0, output
    seen = visit(project.folder / "report.html")
    assert seen["errors"] == []
    assert "small" in seen["text"]  # the sample, in the table of results
    assert max(seen["widths"]) > 500  # the figure; the logo is smaller
