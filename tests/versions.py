"""Checks the package on pairs of Keras and TensorFlow, and the files of each on all others.

python tests/versions.py --write                     all pairs; writes docs/versions.md
python tests/versions.py --pairs oldest newest       some, and only prints
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import venv

from keras_activations import _runs

ROOT = pathlib.Path(__file__).parents[1]
CHECKS = pathlib.Path(__file__).with_name("version_checks.py")
PAIRS = {
    "oldest": ["keras==3.10.0", "tensorflow==2.18.0"],
    "newest Keras on oldest TensorFlow": ["keras", "tensorflow==2.18.0"],
    "middle": ["keras==3.12.*", "tensorflow==2.20.*"],
    "newest": ["keras", "tensorflow"],
    "nightly": ["--pre", "keras-nightly", "tf-nightly"],
}
TWIN = {"layers": "Keras's layers"}  # For the others it is Keras's Dense.
INTRODUCTION = """# Versions

<!-- Written by `make versions ARGS=--write`, which makes an environment for each pair. -->

Each column is a pair of Keras and TensorFlow, in an environment of its own. `ok`: all that the
check in `tests/version_checks.py` asserts holds there.
"""
FILES = """
## Files

Models with every activation, as strings, functions, layers, and layers with other parameters inside
layers, in `.keras`, HDF5 and JSON with weights, written by the pair of the row and read by that of
the column: how many of the files load and compute what they did. Beside them lie files of nothing
but Keras's own layers. Where one of ours cannot be read, neither can Keras's own of that kind and
format, for the same reason, unless it says "ours".
"""


def environment(folder, requirements):
    """The Python of an environment that has the requirements, made if need be."""
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        packages = [*requirements, "matplotlib", "pytest<9.2"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        done.touch()
    return python


def run(python, *arguments):
    """Runs the checks in an environment."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    variables.pop("KERAS_BACKEND", None)
    done = subprocess.run([python, CHECKS, *arguments], env=variables, check=False)
    if done.returncode:
        sys.exit(f"{python} {CHECKS.name} {arguments[0]} ended with {done.returncode}")


def checks_table(found):
    """Which check holds on which pair."""
    titles = next(iter(found.values()))["versions"]
    rows = [[title, *(it["versions"][title] for it in found.values())] for title in titles]
    names = dict.fromkeys(name for it in found.values() for name in it["checks"])
    rows += [[n, *(_cell(it["checks"].get(n, "not run")) for it in found.values())] for n in names]
    return _runs.as_markdown(["", *found], rows)


def _cell(problem):
    return "ok" if problem is None else problem.splitlines()[0][:80].replace("|", "\\|")


def files_table(read):
    """Which pair reads the files of which, and what it says where it does not."""
    notes, rows = {}, []
    for writer in read:
        row = [writer]
        for reader, results in read.items():
            kinds = {k: v for k, v in results[writer].items() if not k.startswith("Keras")}
            problems = [
                (kind, suffix, problem)
                for kind, formats in kinds.items()
                for suffix, problem in formats.items()
                if problem
            ]
            ours = [p for p in problems if not _is_kerass(results[writer], *p)]
            count = sum(map(len, kinds.values()))
            text = f"{count - len(problems)} of {count}"
            for kind, suffix, problem in ours or problems[:1]:
                notes.setdefault(f"{reader} reads {writer}", []).append(
                    f"{'ours' if ours else 'Keras'}, {kind} in {suffix}: `{_reason(problem)}`"
                )
            row.append(f"{text}, **ours**" if ours else text)
        rows.append(row)
    listed = "".join(f"- {pair}: {'; '.join(texts)}\n" for pair, texts in notes.items())
    table = _runs.as_markdown(["written by, read by", *read], rows)
    return f"{table}\n\n{listed}" if listed else f"{table}\n"


def _is_kerass(results, kind, suffix, problem):
    """Whether Keras fails in the same way on a file that holds nothing of ours."""
    twin = results[TWIN.get(kind, "Keras's Dense")][suffix]
    return bool(twin) and _reason(twin) == _reason(problem)


def _reason(problem):
    # What the layers of Keras's messages wrap.
    innermost = problem.rpartition("Exception encountered: ")[2]
    return " ".join(innermost.split())[:200].replace("`", "'")


def main(arguments=None):
    """Makes the environments, runs the checks, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", nargs="+", choices=PAIRS, default=list(PAIRS))
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".venv-versions")
    parser.add_argument("--write", action="store_true", help="write docs/versions.md")
    given = parser.parse_args(arguments)
    pythons, saved = {}, {}
    for pair in given.pairs:
        name = pair.replace(" ", "-")
        pythons[pair] = environment((given.folder / name).resolve(), PAIRS[pair])
        saved[pair] = (given.folder / "saved" / name).resolve()
        saved[pair].mkdir(parents=True, exist_ok=True)
        run(pythons[pair], "write", saved[pair])
    for pair in given.pairs:
        run(pythons[pair], "read", saved[pair], *saved.values())
    found = {pair: json.loads((saved[pair] / "checks.json").read_text()) for pair in given.pairs}
    read = {pair: json.loads((saved[pair] / "read.json").read_text()) for pair in given.pairs}
    named = {pair: {p: read[pair][saved[p].name] for p in given.pairs} for pair in given.pairs}
    page = f"{INTRODUCTION}\n{checks_table(found)}\n{FILES}\n{files_table(named)}"
    print(page)
    if given.write:
        _runs.write(ROOT / "docs" / "versions.md", page)
    return int("**ours**" in page or any(p for it in found.values() for p in it["checks"].values()))


if __name__ == "__main__":
    sys.exit(main())
