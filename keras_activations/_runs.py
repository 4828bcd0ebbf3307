"""What long measurements share: progress, and files that an interrupt leaves whole."""

import contextlib
import csv
import importlib.util
import io
import itertools
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations import __version__

Announce = Callable[[str], None]
# What was to be measured, under "job", and what came out, under "result" or "error".
Row = dict[str, Any]

# Of two jobs that differ in nothing else, the later replaces the earlier.
_SETTINGS = ("against", "seconds", "pythons", "command")


def begun(path: pathlib.Path | None, **versions: str) -> list[Row]:
    """The rows of a file, which a run that begins now continues, and one that says where it runs.

    Args:
        path: File of JSON lines, or None.
        **versions: The versions of what else the run uses.

    Returns:
        List of rows.

    Raises:
        ValueError: If the rows were measured elsewhere.
    """
    rows = load(path) if path is not None and path.exists() else []
    earlier = [row for row in rows if row["job"]["kind"] == "environment"]
    before = [one for row in earlier for one in row["job"]["command"].split("; ")]
    commands = "; ".join(dict.fromkeys([*before, _command()]))
    here = {
        "job": {"kind": "environment", "command": commands},
        "result": {**environment(), **versions},
    }
    for row in earlier:
        # What only one of them uses, such as another framework, does not count.
        both = row["result"].keys() & here["result"].keys()
        if other := sorted(k for k in both if row["result"][k] != here["result"][k]):
            raise ValueError(
                f"{path} holds results of another machine or of other versions: "
                f"{', '.join(other)} differ. Remove it, or name another place."
            )
        here["result"] = {**row["result"], **here["result"]}
    keep(here, path)
    return [*(row for row in rows if row not in earlier), here]


def keep(row: Row, path: pathlib.Path | None) -> None:
    """Adds a row to a file.

    Args:
        row: The row.
        path: File of JSON lines, or None for nowhere.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            # The newline comes first, so that a line cut off in the middle spoils no other.
            file.write(f"\n{json.dumps(row, ensure_ascii=False)}")


def load(path: pathlib.Path) -> list[Row]:
    """Results that a run kept, without those that a later one repeated.

    Args:
        path: File of JSON lines.

    Returns:
        List of rows.

    Raises:
        ValueError: If it holds something else.
    """
    rows, text = [], path.read_text()
    for line in text.splitlines():
        with contextlib.suppress(ValueError):  # The last line of a run that was killed.
            rows.append(json.loads(line))
    if text and not (rows and all(isinstance(row, dict) and "job" in row for row in rows)):
        raise ValueError(f"{path} is no file of results. Name another.")
    return latest(rows)


def latest(rows: Iterable[Row]) -> list[Row]:
    """The rows without those that a later one repeated, even if for longer or against others.

    Args:
        rows: The rows, in the order in which they were measured.

    Returns:
        List of rows.
    """
    return list({_case(row["job"]): row for row in rows}.values())


def undone(jobs: list[Row], rows: list[Row]) -> list[Row]:
    """The jobs that no row has a result of.

    Args:
        jobs: The jobs.
        rows: The rows.

    Returns:
        List of jobs.
    """
    done = [row["job"] for row in rows if "result" in row]
    return [job for job in jobs if job not in done]


def write(path: pathlib.Path, content: str | bytes) -> None:
    """Writes a file as a whole or not at all.

    Args:
        path: Where to.
        content: What it shall hold.

    Raises:
        OSError: If it cannot be written. Names the file, not the temporary one.
    """
    try:
        _replace(path, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(path: pathlib.Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # What a process leaves that is killed meanwhile tells by its name what it is.
    prefix = f".{path.name}."
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=prefix, delete=False) as file:
        try:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.chmod(file.name, 0o644)  # A temporary file is its owner's alone.
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """A table as comma-separated values.

    Args:
        rows: A dictionary for each row.
        columns: The keys, in order.

    Returns:
        The text of the file.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def as_markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, or nothing if it has no rows.

    Args:
        header: The names of the columns.
        rows: The cells of each row.

    Returns:
        The lines.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    head = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return "\n".join(head + lines) if lines else ""


@contextlib.contextmanager
def progress(total: int) -> Iterator[Announce]:
    """Shows how far a long job is: a bar in a terminal, or a line for each part.

    Args:
        total: How many parts there are.

    Yields:
        Function that takes what to say of a part that is done.
    """
    done = itertools.count()
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield lambda text: print(f"{next(done)}/{total} {text}", file=sys.stderr, flush=True)
        return
    import rich.console
    import rich.progress

    columns = [
        rich.progress.TextColumn("{task.completed}/{task.total}"),
        rich.progress.BarColumn(),
        rich.progress.TimeRemainingColumn(),
        rich.progress.TextColumn("{task.description}"),
    ]
    with rich.progress.Progress(*columns, console=rich.console.Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda text: bar.update(task, description=text, completed=next(done))


@contextlib.contextmanager
def worker(*arguments: str) -> Iterator[Callable[[Row], Row]]:
    """A Python process that answers lines of JSON; when it ends, the next question starts another.

    Args:
        *arguments: What it is started with.

    Yields:
        Function of a question that returns the answer; or, under "error", why the process ended.
    """
    running: list[Any] = []
    with tempfile.TemporaryFile("w+") as log:

        def ask(question: Row) -> Row:
            if not running:
                pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
                running.append(subprocess.Popen([sys.executable, *arguments], text=True, **pipes))
            process = running[0]
            with contextlib.suppress(BrokenPipeError):
                print(json.dumps(question), file=process.stdin, flush=True)
            if line := process.stdout.readline():
                return json.loads(line)
            running.clear()
            log.seek(0)
            last = log.read().strip().splitlines()[-1:]
            return {"error": f"the process ended ({process.wait()}). {''.join(last)}"}

        try:
            yield ask
        finally:
            for process in running:
                process.kill()
                process.wait()


def check_page(path: pathlib.Path | None, whole: pathlib.Path, is_part: bool) -> None:
    """Raises a ValueError if rows of some activations would take the place of a page of all.

    Args:
        path: File to write, or None.
        whole: That of all.
        is_part: Whether there are rows of some only.
    """
    if path == whole and is_part:
        raise ValueError(
            f"{path} is the page of all activations. Name another file after --write, or after "
            f"--json a file that has the rows of the others."
        )


def version(module: str, python: str) -> str:
    """The version of a package that another Python has.

    Args:
        module: Its name.
        python: The interpreter.

    Raises:
        ValueError: If it is not there.
    """
    program = [python, "-P", "-c", f"import {module}; print({module}.__version__)"]
    try:
        done = subprocess.run(program, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(f"There is no {module} in {python}: {error}") from error
    return done.stdout.strip()


def _command() -> str:
    """What one types to run this program."""
    program = pathlib.Path(sys.argv[0])
    ours = program.parts[-2:] == ("keras_activations", "__main__.py")
    if ours or program.stem == "keras-activations":
        return shlex.join(["python", "-m", "keras_activations", *sys.argv[1:]])
    return shlex.join(sys.argv)


def environment() -> dict[str, Any]:
    """What a measurement depends on: machine, system and versions."""
    return {
        "machine": _processor(),
        "cores": os.cpu_count(),
        "threads": threads(),
        "GPUs": [d.name for d in tf.config.list_physical_devices("GPU")],
        "system": platform.platform(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "keras_activations": __version__,
    }


def threads() -> int:
    """How many threads TensorFlow computes with."""
    return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def _case(job: Row) -> str:
    return json.dumps({k: v for k, v in job.items() if k not in _SETTINGS}, sort_keys=True)
