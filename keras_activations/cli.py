"""The command line: `python -m keras_activations COMMAND`, or `keras-activations COMMAND`."""

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

import keras_activations

# The modules that say what a command takes and run it.
COMMANDS = {
    "list": ("commands.list", "List the activations there are."),
    "show": ("commands.show", "Show what is known about one of them."),
    "plot": ("commands.plot", "Draw values and derivatives to a file."),
    "compare": ("commands.compare", "Train the same network with each of several activations."),
    "gain": ("commands.gain", "Print the factors that keep signals and gradients at their size."),
    "migrate": ("commands.migrate", "Write models that Keras 2 or Addons saved for this Keras."),
    "export": ("commands.export", "Export each, and compare what exported models compute."),
    "accuracy": (
        "accuracy",
        "Compare values and derivatives with the exact ones, in units in the last place.",
    ),
    "benchmark": (
        "benchmark",
        "Compare speed and memory with the memory's speed and with other packages.",
    ),
}
# Of what a command imports, the extra that brings it.
EXTRAS = {"flint": "measure", "plotille": "terminal", "rich": "terminal", "sklearn": "examples"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The command line after the program's name; None for this process's own.

    Returns:
        The exit status.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What a terminal has no character for is no reason to stop.
        sys.stdout.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser("python -m keras_activations", description=__doc__)
    version = f"keras_activations {keras_activations.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True)
    try:
        for name, (path, purpose) in COMMANDS.items():
            command = commands.add_parser(
                name,
                help=purpose,
                description=purpose,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            # Only what is asked for is imported: each command needs packages of its own.
            if name in arguments[:1]:
                module = importlib.import_module(f"keras_activations.{path}")
                module.add_arguments(command)
                command.epilog = module.EXAMPLES
                command.set_defaults(run=module.run)
        given = parser.parse_args(arguments)
        with _terminated_as_interrupted():
            status = int(given.run(given))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # The reader, such as `head`, has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(str(error.name).partition(".")[0], "examples,measure")
        print(f"{error}. Try: pip install 'keras_activations[{extra}]'", file=sys.stderr)
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
    return 2


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    # Else a command that is told to end leaves its processes behind, each with its memory.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
