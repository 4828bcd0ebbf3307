"""`python -m keras_activations migrate`: models of Keras 2 and TensorFlow Addons for this Keras."""

import argparse
import pathlib
import sys
import warnings
from collections.abc import Iterable

from keras_activations.migration import migrate

EXAMPLES = """examples:
  python -m keras_activations migrate old.h5
  python -m keras_activations migrate models/*.h5 --output migrated
  python -m keras_activations migrate old.h5 --name foo=ka.mish --name "swish=swish(beta=1.5)"
  python -m keras_activations migrate from_addons.h5 --name gelu=gelu_tanh
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument(
        "files", nargs="+", metavar="FILE", type=pathlib.Path, help="a saved model: .h5 or .keras"
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        metavar="PATH",
        help="a folder, or for one FILE the .keras file to write; else old.keras beside old.h5, "
        "and old_keras3.keras beside old.keras",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="what an activation of the file is here; may be given several times. OLD is its name "
        "or, where it is code, that of its layer",
    )


def run(arguments: argparse.Namespace) -> int:
    """Migrates each file, and goes on where one cannot be.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code: 0 if all were migrated.
    """
    names = dict(_pair(text) for text in arguments.name)
    single = (arguments.output or pathlib.Path()).suffix in (".keras", ".h5", ".hdf5")
    if single and len(arguments.files) > 1:
        raise ValueError(f"--output must be a folder for several files, not {arguments.output}")
    failed = 0
    for path in arguments.files:
        target = arguments.output if single else _target(path, arguments.output)
        print(f"{path} -> {target}")
        with warnings.catch_warnings(record=True) as doubts:
            warnings.simplefilter("always", UserWarning)
            try:
                migrate(path, target, names)
            except (OSError, TypeError, ValueError) as error:
                failed += 1
                print(_with_hint(str(error)), file=sys.stderr)
        for text in _ours(doubts):
            print(_with_hint(f"{path}: warning: {text}"), file=sys.stderr)
    return 1 if failed else 0


def _with_hint(text: str) -> str:
    return f"{text}\nFor names={{'old': …}} give --name old=…" if "names={" in text else text


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise ValueError(f"Expected OLD=NEW, such as foo=mish. Received: {text!r}")
    return old, new.removeprefix("ka.")


def _target(path: pathlib.Path, folder: pathlib.Path | None) -> pathlib.Path:
    if folder is not None:
        return folder / f"{path.stem}.keras"
    return path.with_name(
        f"{path.stem}_keras3.keras" if path.suffix == ".keras" else f"{path.stem}.keras"
    )


def _ours(found: Iterable[warnings.WarningMessage]) -> list[str]:
    return [str(it.message) for it in found if it.category is UserWarning]
