"""The soak, in short."""

import pathlib
import subprocess
import sys


def test_calls_of_changing_shapes_leave_memory_and_kernels_as_they_are():
    """One element-wise activation, one with parameters, one along an axis."""
    command = [sys.executable, pathlib.Path(__file__).with_name("soak.py"), "--calls", "3000"]
    done = subprocess.run(
        [*command, "mish", "snake", "softmax"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.endswith("as they were.\n")
