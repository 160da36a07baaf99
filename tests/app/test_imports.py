"""Imports of several visitors' pages at once."""

import subprocess
import sys
import textwrap

from ..browser.app_server import ROOT

TWO_PAGES = textwrap.dedent("""
    import importlib.abc
    import sys
    import threading

    half, drawn = threading.Event(), threading.Event()

    class Wait(importlib.abc.MetaPathFinder):
        '''Stops the import of pandas in its middle until a chart is drawn, or for a second.'''

        def find_spec(self, name, path=None, target=None):
            if name == "pandas.core.api":
                half.set()
                drawn.wait(1)

    sys.meta_path.insert(0, Wait())
    first = threading.Thread(target=__import__, args=["pandas"])
    first.start()
    half.wait()
    assert not hasattr(sys.modules["pandas"], "Series")
    {second}
    drawn.set()
    first.join()
    print(chart.data[0].text)
""")
OURS = """
    from pages.components.widgets import charts
    chart = charts.accuracies(["a model"], [0.5])
"""
PLOTLYS = """
    import plotly.graph_objects as go
    chart = go.Figure(go.Bar(x=[50.0], y=["a model"], text=["50.0 %"], hovertemplate="%{x}"))
"""


def run(second: str) -> subprocess.CompletedProcess:
    script = TWO_PAGES.replace("{second}", textwrap.dedent(second))
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120
    )


def test_a_chart_is_drawn_while_another_visitors_page_imports_pandas():
    found = run(OURS)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "('50.0 %',)\n"


def test_plotly_alone_meets_half_of_pandas():
    """If this fails, charts.py no longer needs its import of pandas."""
    found = run(PLOTLYS)
    assert "partially initialized module 'pandas'" in found.stderr
