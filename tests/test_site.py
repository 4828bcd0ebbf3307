"""The site of the documentation: its formulas, its links, and its pages in a real browser."""

import functools
import json
import pathlib
import shutil
import subprocess

import formulas
import links
import numpy as np
import pytest
import tensorflow as tf
from cases import gradient, parameter_sets

import keras_activations as ka

# The site is built once.
pytestmark = pytest.mark.xdist_group("site")

DOCS = pathlib.Path(__file__).parents[1] / "docs"
# Of each kind one: with kinks, with parameters, a jump, along an axis, another number of channels.
SHOWN = ("relu", "mish", "snake", "binary_step", "softmax", "maxout")
# No kink and no jump is among them, at any parameters.
GRID = np.linspace(-6.0, 6.0, 97) + 0.0123456789


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x * tanh(log(1 + exp(x)))", r"x \, \tanh\left(\ln\left(1 + e^{x}\right)\right)"),
        ("x / (1 + abs(x))", r"\frac{x}{1 + \left|x\right|}"),
        ("a * (b - (x - c))**2", r"a \, \left(b - \left(x - c\right)\right)^{2}"),
        ("a[0] * -x + t_left * 2", r"a_{0} \, \left(-x\right) + t_{\text{left}} \cdot 2"),
        ("-beta * x", r"-\beta \, x"),
        ("[exp(t) / sum(exp(s) for s in x) for t in x]",
         r"\frac{e^{t}}{\sum_{s \in x} e^{s}} \quad \text{for } t \in x"),
        ("[max(t, 0) for t in x] + [-t for t in x]",
         r"\max\left(t, 0\right) \quad \text{for } t \in x, "
         r"\quad \text{then } -t \quad \text{for } t \in x"),
        ("[t if i % 2 == 0 else 1e-6 for i, t in zip(range(len(x)), x)]",
         r"\begin{cases} t & \text{if } i \bmod 2 = 0 \\ 10^{-6} & \text{otherwise} \end{cases} "
         r"\quad \text{for } i = 0, \dots, n - 1, \; t = x_{i}"),
        ("[max(x[j::k]) for j in range(k)]",
         r"\max\left(x_{j}, x_{j + k}, \dots\right) \quad \text{for } j = 0, \dots, k - 1"),
        ("[t for j in range(0, len(x), k) for t in sorted(x[j:j + k])]",
         r"t \quad \text{for } j = 0, k, 2 \, k, \dots < n, \; "
         r"t \in \operatorname{sort}\left(x_{j}, \dots, x_{j + k - 1}\right)"),
        ("[sum(a[i] * t**i for i in range(3)) + 2.5e10 for t in x]",
         r"\sum_{i=0}^{2} a_{i} \, t^{i} + 2.5 \cdot 10^{10} \quad \text{for } t \in x"),
        ("[p(t - mu) for p in [lambda z: z**2] for mu in [root(lambda mu: "
         "sum(p(t - mu) for t in x) - 1, min(x), log1p(len(x)))] for t in x]",
         r"\begin{array}{l} p\left(t - \mu\right) \quad \text{for } t \in x "
         r"\\ \text{where } p\left(z\right) = z^{2} \\ "
         r"\sum_{t \in x} p\left(t - \mu\right) = 1, \; "
         r"\mu \in \left[\min\left(x\right), \ln\left(1 + n\right)\right] \end{array}"),
        ("x if x >= low else 0",
         r"\begin{cases} x & \text{if } x \geq \text{low} \\ 0 & \text{otherwise} \end{cases}"),
    ],
)  # fmt: skip
def test_a_formula_is_typeset(formula, expected):
    assert formulas.latex(formula) == expected


def test_what_has_no_notation_is_refused():
    for formula in ("x @ x", "[t for t, s in x]", "x[::2]", "root(f, 0, 1)", "sinh(x)"):
        with pytest.raises(ValueError, match="No notation"):
            formulas.latex(formula)


def test_every_formula_is_typeset():
    for info in ka.catalogue():
        assert formulas.latex(info.formula)


def _cases():
    for info in ka.catalogue():
        for given in parameter_sets(info) if info.elementwise else ():
            parameters = {**info.parameters, **given}
            # Of another length than the formula has, it is another formula.
            if all(np.shape(v) == np.shape(info.parameters[n]) for n, v in given.items()):
                yield info, parameters


def test_formulas_in_javascript_agree_with_the_package():
    """Value and slope of the backward pass, at all parameters that the pages sample."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js")
    cases = list(_cases())
    script = [(DOCS / "assets" / "duals.js").read_text(), f"const X = {GRID.tolist()};"]
    for info, parameters in cases:
        value = formulas.javascript(info.formula)
        slope = formulas.javascript(info.backward) if info.backward else None
        backward = f"(x, p) => {slope}" if slope else "null"
        given = json.dumps({n: v for n, v in parameters.items() if n in info.symbols})
        activation = f"{{value: (x, p) => {value}, backward: {backward}}}"
        script.append(
            f"console.log(JSON.stringify(X.map((x) => evaluate({activation}, x, {given}))));"
        )
    ran = subprocess.run(
        [node], input="\n".join(script), text=True, capture_output=True, check=True
    )
    for (info, parameters), line in zip(cases, ran.stdout.splitlines(), strict=True):
        found = np.array(json.loads(line), dtype=float)
        expected = gradient(lambda x: info.function(x, **parameters), tf.constant(GRID))  # noqa: B023
        for column, truth in zip(found.T, expected, strict=True):
            kept = np.isfinite(truth)
            np.testing.assert_allclose(
                column[kept],
                truth[kept],
                rtol=1e-9,
                atol=1e-10,
                err_msg=f"{info.name} {parameters}",
            )


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "index.html").write_text(
        '<h1 id="top"></h1><a href="#top">1</a><a href="other.html#no">2</a>'
        '<a href="none.html">3</a><img src="none.png"><script src="https://example.org/x.js"></script>'
        '<a href="https://example.org">4</a>'
    )
    (tmp_path / "other.html").write_text('<a href="index.html?names=mish#top">back</a>')
    assert list(links.broken(tmp_path)) == [
        "index.html fetches https://example.org/x.js from the network.",
        "index.html points to other.html#no, which has no such heading.",
        "index.html points to none.html, which does not exist.",
        "index.html points to none.png, which does not exist.",
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, of a few activations."""
    for module in ("mkdocs", "material", "mkdocstrings", "latex2mathml", "matplotlib"):
        pytest.importorskip(module, reason="needs the extra docs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    shown = [i for i in ka.catalogue() if i.name in SHOWN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ka, "catalogue", functools.wraps(ka.catalogue)(lambda: shown))
        config = load_config(str(DOCS.parent / "mkdocs.yml"), site_dir=str(folder), strict=True)
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
    return folder


def test_the_site_has_its_pages_and_no_broken_link(site):
    assert list(links.broken(site)) == []
    for name in SHOWN:
        text = (site / "activations" / f"{name}.html").read_text()
        assert (ka.info(name).url or "") in text
        assert "<math" in text
        for picture in site.glob(f"activations/{name}-*.svg"):
            assert 1e3 < picture.stat().st_size < 60e3


def test_the_code_on_every_page_runs(site):
    import pages

    for info in ka.catalogue():
        exec(compile(pages.usage(info), info.name, "exec"), {})


@pytest.fixture
def browser(site, tmp_path):
    """A function that opens a page of the site, in the size of a screen or of a phone."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs the extra docs")
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip("needs Chromium and its driver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "hide-scrollbars",
        f"user-data-dir={tmp_path}",
    ):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))

    def open_page(path, width=1280):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(f"file://{site}/{path}")
        return driver

    yield open_page
    messages = [entry["message"] for entry in driver.get_log("browser")]
    driver.quit()
    assert messages == []


def _waits(driver, script):
    """What a script returns as soon as that is true."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 20).until(lambda d: d.execute_script(f"return {script}"))


def test_pages_are_as_wide_as_a_phone_and_their_pictures_load(browser):
    for path in ("index.html", "explore.html", "properties.html", "activations/snake.html"):
        driver = browser(path, width=390)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390, path
        _waits(driver, "[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
        height = "document.querySelector('math').getBoundingClientRect().height > 20"
        assert "activations" not in path or driver.execute_script(f"return {height}")


def test_search_finds_an_activation(browser):
    driver = browser("index.html")
    driver.find_element("css selector", ".md-search__input").send_keys("periodic signals")
    found = "[...document.querySelectorAll('.md-search-result__link')].map((a) => a.href).join()"
    assert "activations/snake.html" in _waits(driver, found)


def test_sliders_move_the_curves(browser):
    from selenium.webdriver.support.ui import Select

    driver = browser("explore.html?names=snake")
    curves = "[...document.querySelectorAll('.curve')].map((c) => c.getAttribute('d'))"
    before = _waits(driver, curves)
    assert len(before) == 5
    driver.execute_script(
        "const s = document.querySelector('.one input'); s.value = 2.5;"
        "s.dispatchEvent(new Event('input'))"
    )
    after = _waits(driver, f"({curves}).every((d, i) => d !== {json.dumps(before)}[i]) && {curves}")
    Select(driver.find_element("id", "gain")).select_by_value("he")
    _waits(driver, f"({curves})[3] !== {json.dumps(after[3])}")
    Select(driver.find_element("id", "add")).select_by_value("relu")
    _waits(driver, f"({curves}).length === 10")
    driver.find_element("css selector", ".one button").click()
    _waits(driver, f"({curves}).length === 5")


def test_gains_in_the_browser_are_the_packages(browser):
    driver = browser("explore.html?names=mish,relu")
    for name in ("mish", "relu"):
        for order, mode in enumerate(("forward", "backward")):
            found = f"ownGain(ACTIVATIONS.{name}, ACTIVATIONS.{name}.defaults, {order})"
            assert _waits(driver, found) == pytest.approx(ka.gain(name, mode), rel=1e-3)


def test_a_signal_travels_in_the_browser_as_in_tensorflow(browser):
    depth, gain = 4, 1.5
    driver = browser("explore.html?names=mish")
    inputs, upstream, weights, found = driver.execute_script(
        "return [[...normals(WIDTH * BATCH, 0)], [...normals(WIDTH * BATCH, -1)],"
        f"weights.slice(0, {depth - 1}).map((w) => [...w]),"
        f"travel(ACTIVATIONS.mish, {{}}, {depth}, {gain})]"
    )
    width = round(len(weights[0]) ** 0.5)
    kernels = np.reshape(weights, (-1, width, width))
    assert abs(np.mean(kernels)) < 0.05
    assert np.var(kernels) == pytest.approx(1.0, abs=0.05)
    signals, outputs = [tf.reshape(tf.constant(inputs, tf.float64), (-1, width))], []
    with tf.GradientTape() as tape:
        tape.watch(signals[0])
        for layer in range(depth):
            outputs.append(ka.mish(signals[layer]))
            if layer < depth - 1:
                signals.append(outputs[layer] @ (kernels[layer] * gain / width**0.5))
    slopes = tape.gradient(outputs[-1], signals, np.reshape(upstream, outputs[-1].shape))
    for key, truth in {
        "mean": [np.mean(y) for y in outputs],
        "variance": [np.var(y) for y in outputs],
        "gradient": [np.sqrt(np.mean(np.square(g))) for g in slopes],
    }.items():
        np.testing.assert_allclose(found[key], truth, rtol=1e-9, err_msg=key)
