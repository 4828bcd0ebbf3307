"""The commands that look things up, draw and print gains."""

import functools
import importlib
import importlib.metadata
import io
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest
from cases import all_of, is_trained

import keras_activations as ka
from keras_activations import cli, plotting
from keras_activations._layers import GatedLayer

ELEMENTWISE = [i.name for i in ka.catalogue() if i.elementwise and not i.required]
SOME = ka.catalogue()[::9]


@pytest.fixture
def terminal(monkeypatch, capsys):
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")


def _printed(capsys, *arguments, code=0):
    assert cli.main(arguments) == code
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("command", ["list", "gain"])
def test_what_is_not_for_a_terminal_is_a_table_separated_by_tabs(capsys, monkeypatch, command):
    monkeypatch.setattr(f"keras_activations.commands.{command}.catalogue", lambda: SOME)
    header, *lines = _printed(capsys, command)
    assert header.startswith("name\t")
    assert [line.split("\t")[0].partition("(")[0] for line in lines] == [i.name for i in SOME]
    assert {line.count("\t") for line in lines} == {header.count("\t")}


def test_list_is_a_table_in_a_terminal(capsys, terminal):
    lines = _printed(capsys, "list", "--family", "gated")
    gated = [i for i in ka.catalogue() if i.family == "gated"]
    assert lines[0].split() == ["name", "layer", "family", "parameters", "range", "source"]
    # Narrow as the terminal is, names are whole.
    assert {i.name for i in gated} <= {line.split()[0] for line in lines[1:-1]}
    assert lines[-1].startswith(f"{len(gated)} activations.")


def test_list_ends_where_characters_are_missing(monkeypatch):
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
    assert cli.main(["list"]) == 0
    assert len(printed.getvalue().splitlines()) == 1 + len(ka.catalogue())


def test_list_takes_filters(capsys):
    def names(*arguments):
        return {line.split("\t")[0] for line in _printed(capsys, "list", *arguments)[1:]}

    assert names("gelu") == {i.name for i in ka.catalogue() if "gelu" in i.name.lower()}
    bounded, monotonic, trained = names("--bounded"), names("--monotonic"), names("--trained")
    assert bounded & monotonic == names("--bounded", "--monotonic") != set()
    for info in ka.catalogue():
        assert (info.name in trained) == is_trained(info)
        assert (info.name in monotonic) == bool(info.monotonic)
        assert (info.name in bounded) == (
            info.range is not None and np.all(np.isfinite(info.range))
        )
    assert cli.main(["list", "no such thing"]) == 1
    output = capsys.readouterr()
    assert "no such activation" in output.err
    assert len(output.out.splitlines()) == 1


@all_of(SOME)
def test_show_says_what_is_known(capsys, info):
    text = "\n".join(_printed(capsys, "show", info.name))
    assert text.startswith("string ") == info.keeps_shape
    for known in (info.layer.__name__, info.formula, info.family, info.url):
        assert (known or "") in text
    for name in info.parameters:
        assert name in text
    assert info.function.__doc__.split("\n")[0] in text


def test_show_takes_an_alias_and_draws_in_a_terminal(capsys, terminal):
    info = next(i for i in ka.catalogue() if i.aliases and i.elementwise)
    lines = _printed(capsys, "show", info.aliases[0])
    assert any(f'"{info.name}"' in line for line in lines)
    assert any("⠤" in line or "⣀" in line for line in lines)
    assert "blue" in lines[-1]


@pytest.mark.parametrize("family", ["gated", "simplex"])
def test_show_draws_a_gate_and_says_where_there_is_no_curve(capsys, terminal, family):
    info = next(i for i in ka.catalogue() if i.family == family)
    lines = _printed(capsys, "show", info.name)
    drawn = any("⠤" in line or "⣀" in line for line in lines)
    assert drawn == issubclass(info.layer, GatedLayer)
    assert ("of the gate" if drawn else "no curve") in lines[-1]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_plot_writes_a_picture(capsys, tmp_path, suffix):
    path = tmp_path / "new" / f"picture.{suffix}"
    assert _printed(capsys, "plot", *ELEMENTWISE[:2], "--output", str(path)) == [str(path)]
    signatures = {"png": b"\x89PNG\r", "svg": b"<?xml", "pdf": b"%PDF-"}
    assert path.read_bytes()[:5] == signatures[suffix]


def test_plot_takes_parameters(capsys, tmp_path, monkeypatch):
    given = []

    def plot(*names, **options):
        given.append((names, options))
        return ka.plot(*names, **options)

    monkeypatch.setattr(plotting, "plot", plot)
    name = "snake(alpha=[0.5, 2.0])"
    command = ["plot", name, "--second-derivative", "--limits", "-3", "3"]
    _printed(capsys, *command, "--output", str(tmp_path / "picture.svg"))
    ((names, options),) = given
    assert names == (name,)
    assert options["second_derivative"] is True
    assert tuple(options["limits"]) == (-3.0, 3.0)


def test_nothing_is_left_of_a_picture_that_failed(capsys, tmp_path):
    for command in (
        ["plot", ELEMENTWISE[0], "--output", str(tmp_path / "picture.nonsense")],
        ["plot", ELEMENTWISE[0] + "x", "--output", str(tmp_path / "picture.png")],
        ["plot", ELEMENTWISE[0], "--limits", "3", "-3", "--output", str(tmp_path / "picture.png")],
    ):
        assert cli.main(command) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_gains_are_those_of_the_arguments_that_it_names(capsys, monkeypatch):
    info = next(i for i in ka.catalogue() if i.required)
    monkeypatch.setattr("keras_activations.commands.gain.catalogue", lambda: [info])
    expected = f"{ka.gain(info.name, **info.required):.6g}"
    assert f"gain      {expected} forward" in "\n".join(_printed(capsys, "show", info.name))
    (parameter,) = info.required
    other = f"{info.name}({parameter}={info.required[parameter] + 2})"
    assert f"gain      {ka.gain(other):.6g} forward" in "\n".join(_printed(capsys, "show", other))
    _, line = _printed(capsys, "gain")
    name, forward, _ = line.split("\t")
    assert forward == expected == f"{ka.gain(name):.6g}"
    # What the page claims is of the defaults.
    for text, claimed in (("elu(alpha=1.0)", True), ("elu(alpha=2.0)", False)):
        assert ("range" in "\n".join(_printed(capsys, "show", text)).split()) == claimed
    flat = "star_relu(scale=0.0, bias=0.0)"
    assert " - forward, - backward, with scale" in "\n".join(_printed(capsys, "show", flat))


@pytest.mark.parametrize("command", ["accuracy", "benchmark", "export"])
def test_a_page_of_some_does_not_take_the_place_of_that_of_all(
    command, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert cli.main([command, ELEMENTWISE[0], "--write"]) == 2
    assert "the page of all" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_is_told_to_end_is_interrupted(monkeypatch, capsys):
    before = signal.getsignal(signal.SIGTERM)
    ended = functools.partial(signal.raise_signal, signal.SIGTERM)
    monkeypatch.setattr("keras_activations.commands.list.catalogue", ended)
    assert cli.main(["list"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_gain_prints_both(capsys):
    names = [ELEMENTWISE[3], "leaky_relu(negative_slope=0.1)"]
    header, *lines = _printed(capsys, "gain", *names)
    assert header.split("\t") == ["name", "forward", "backward"]
    for name, line in zip(names, lines, strict=True):
        found = line.split("\t")
        assert found[0] == name
        expected = [ka.gain(name), ka.gain(name, "backward")]
        assert [float(n) for n in found[1:]] == pytest.approx(expected, rel=1e-5)
    assert cli.main(["gain", "leaky_relu(slope=0.1)"]) == 2
    assert "negative_slope" in capsys.readouterr().err


@pytest.mark.parametrize("command", list(cli.COMMANDS))
def test_help_has_examples_that_parse(capsys, command, monkeypatch):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    examples = text.partition("examples:\n")[2].splitlines()
    assert len(examples) >= 2
    ran = []
    module = importlib.import_module(f"keras_activations.{cli.COMMANDS[command][0]}")
    monkeypatch.setattr(module, "run", lambda arguments: ran.append(arguments) or 0)
    for example in examples:
        program, option, package, *arguments = shlex.split(example.partition("|")[0])
        assert (program, option, package) == ("python", "-m", "keras_activations")
        assert cli.main(arguments) == 0
    assert [arguments.command for arguments in ran] == [command] * len(examples)


def test_what_is_not_installed_is_named(capsys, monkeypatch, terminal):
    # Without a curve the rest is shown all the same.
    for module, command, code in (("rich", ["list"], 2), ("plotille", ["show", ELEMENTWISE[0]], 0)):
        with monkeypatch.context() as patch:
            for name in [n for n in sys.modules if n.partition(".")[0] == module]:
                patch.delitem(sys.modules, name)
            patch.setitem(sys.modules, module, None)
            assert cli.main(command) == code
        output = capsys.readouterr()
        assert "pip install 'keras_activations[terminal]'" in (output.err if code else output.out)
        assert (module in output.err) == (code == 2)


def test_a_reader_that_has_had_enough_and_an_interrupt_are_no_errors(capsys, monkeypatch):
    command = [sys.executable, "-m", "keras_activations", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert "Broken pipe" not in process.stderr.read().decode()
    assert process.returncode == 0

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_activations.commands.list.catalogue", interrupted)
    assert cli.main(["list"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"keras_activations {ka.__version__}\n")


def test_the_program_is_installed():
    (program,) = [
        e
        for e in importlib.metadata.distribution("keras_activations").entry_points
        if e.group == "console_scripts"
    ]
    assert (program.name, program.load()) == ("keras-activations", cli.main)
