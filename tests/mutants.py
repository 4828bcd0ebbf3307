"""Shows that the tests bite: breaks every page in one way after another, and counts who notices.

    python tests/mutants.py [NAME …]

Works on a copy. Prints, for each way, how many pages noticed, and which tests stayed green. With
names, of these pages only.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]

WRAP = """

import functools as _functools

@_functools.cache
def _broken(function):
    def broken(*args, **kwargs):
        result = function(*args, **kwargs)
        first = result[0] if isinstance(result, (tuple, list)) else result
        first = {change}
        return (first, *result[1:]) if isinstance(result, (tuple, list)) else first
    return broken

def _break(engine):
    def broken(value, derivatives, *args, **kwargs):
        return engine({value}, {derivatives}, *args, **kwargs)
    return broken

for _name in {{"elementwise", "gated", "with_gradient"}} & set(globals()):
    globals()[_name] = _break(globals()[_name])
"""

PUBLIC = "\n\n_public = globals()[__name__.rpartition('.')[2]]\n"

# What is broken, what is added to each page, and the tests that should notice.
PAGES = {
    "a gradient 1 % too large": (
        WRAP.format(change="first * 1.01", value="value", derivatives="_broken(derivatives)"),
        ["tests/test_truth.py"],
    ),
    "a value 1 % too large": (
        WRAP.format(change="first * 1.01", value="_broken(value)", derivatives="derivatives"),
        ["tests/test_truth.py"],
    ),
    "a second derivative cut off": (
        WRAP.format(
            change="tf.stop_gradient(first)", value="value", derivatives="_broken(derivatives)"
        ),
        ["tests/test_truth.py", "tests/test_functions.py"],
    ),
    "a default changed": (
        PUBLIC
        + "_raw = _public.__wrapped__\n"
        + "_raw.__defaults__ = _raw.__defaults__ and tuple(\n"
        + "    d + 0.125 if isinstance(d, float) else d for d in _raw.__defaults__)\n",
        ["tests/test_peers.py", "tests/test_documentation.py"],
    ),
    "a config key lost": (
        "\n\nimport keras_activations._registry as _registry\n"
        + PUBLIC
        + "_layer = _registry.info(_public.__name__).layer\n"
        + "_key = next(iter(_registry.constructor_arguments(_layer)), None)\n"
        + "def _lossy(self, _original=_layer.get_config):\n"
        + "    return {k: v for k, v in _original(self).items() if k != _key}\n"
        + "_layer.get_config = _lossy\n",
        ["tests/test_layers.py", "-k", "config"],
    ),
}

# The engine and the base classes: file, what stands there, what takes its place, the tests.
ELSEWHERE = {
    "the forward pass left on the tape": (
        "_calculus.py",
        "tf.stop_gradient(t) if w else t",
        "t",
        ["tests/test_functions.py", "-k", "tape_keeps"],
    ),
    "a recomputation that does not wait": (
        "_calculus.py",
        "with tf.control_dependencies([upstream])",
        "with tf.control_dependencies([])",
        ["tests/test_functions.py", "-k", "waits"],
    ),
    "a recomputation that does not wait under XLA": (
        "_calculus.py",
        "return x + zero, *inputs[1:]",
        "return inputs",
        ["tests/test_kernels.py", "-k", "depends"],
    ),
    "a bad upstream gradient that spreads": (
        "_calculus.py",
        "return x + zero, *inputs[1:]",
        "return x + 0.0 * tf.cast(some, x.dtype), *inputs[1:]",
        ["tests/test_kernels.py", "-k", "spread or sign_of_zero"],
    ),
    "blind to XLA": (
        "_calculus.py",
        "return _COMPILED[graph]",
        "return False",
        ["tests/test_kernels.py", "-k", "knows or depends"],
    ),
    "a backward pass in pieces": (
        "_calculus.py",
        "_Kernel(function, whole=True)",
        "_Kernel(function, whole=False)",
        ["tests/test_kernels.py", "-k", "kernel"],
    ),
    "a result that is computed twice": (
        "_calculus.py",
        "kept[:2] = True, y",
        "pass",
        ["tests/test_functions.py", "-k", "takes_it"],
    ),
    "an input that passes for a result": (
        "_calculus.py",
        "if of_result and not has_result:",
        "if of_result and x.dtype != inputs[0].dtype:",
        ["tests/test_functions.py", "-k", "16_bit_are or can_be_differentiated"],
    ),
    "float64 behind a result of 16 bits": (
        "_special.py",
        "x if _NARROW.get() else tf.cast(x, tf.float64)",
        "tf.cast(x, tf.float64)",
        ["tests/test_functions.py", "-k", "in_float64"],
    ),
    "no hint that XLA may compile": (
        "_calculus.py",
        "with tf.xla.experimental.jit_scope()",
        "with tf.name_scope('')",
        ["tests/test_kernels.py", "-k", "one_kernel"],
    ),
    "a fused form ignored": (
        "_calculus.py",
        "if has_plain and not _compiled_as_a_whole()",
        "if False",
        ["tests/test_kernels.py", "-k", "fused"],
    ),
    "a shape compiled at once": (
        "_calculus.py",
        "return uses[key] > (1 if large else USES)",
        "return True",
        ["tests/test_kernels.py", "-k", "second_use"],
    ),
    "every shape compiled": (
        "_calculus.py",
        "len(uses) >= SHAPES",
        "False",
        ["tests/test_kernels.py", "-k", "storm"],
    ),
    "a graph for every shape": (
        "_calculus.py",
        "t.dtype, t.shape.rank) for t",
        "t.dtype, tuple(t.shape)) for t",
        ["tests/test_kernels.py", "-k", "storm"],
    ),
    "small tensors compiled": (
        "_calculus.py",
        "large = any(size is None or size >= LARGE for size in sizes)",
        "large = True",
        ["tests/test_kernels.py", "-k", "small"],
    ),
    "a large tensor behind a small one overlooked": (
        "_calculus.py",
        "any(size is None or size >= LARGE for size in sizes)",
        "sizes[0] is None or sizes[0] >= LARGE",
        ["tests/test_kernels.py", "-k", "one_large"],
    ),
    "a sum of millions in one go": (
        "_calculus.py",
        "tf.cast(sums, tf.float64)",
        "sums",
        ["tests/test_kernels.py", "-k", "keeps_its_digits"],
    ),
    "an axis that moves with a parameter": (
        "_axes.py",
        "normalized(axis, rank) - rank",
        "normalized(axis, rank)",
        ["tests/test_families.py", "-k", "adds_axes"],
    ),
    "an export compiled by force": (
        "_calculus.py",
        "self.untraced() if whole else function",
        "self.untraced() if whole else self.untraced(True)",
        ["tests/test_kernels.py", "-k", "export"],
    ),
    "gradients of numbers computed": (
        "_calculus.py",
        "tf.is_tensor(p) and t.dtype.is_floating",
        "t.dtype.is_floating",
        ["tests/test_kernels.py", "-k", "numbers"],
    ),
    "an exponential that underflows early": (
        "_special.py",
        "deep = z.high < -64.0",
        "deep = z.high < -640.0",
        ["tests/test_kernels.py", "-k", "exponentials"],
    ),
    "a rounded exponent": (
        "_special.py",
        "e += e * z.low",
        "pass",
        ["tests/test_kernels.py", "-k", "exponentials"],
    ),
    "a difference that cancels": (
        "_special.py",
        "near = tf.clip_by_value(x, -0.75, 0.75)",
        "near = tf.clip_by_value(x, -0.1, 0.1)",
        ["tests/test_kernels.py", "-k", "exponentials"],
    ),
    "a phase that loses digits": (
        "_special.py",
        "z = half_turns * double_word(x)",
        "z = double_word((half_turns * double_word(x)).high)",
        ["tests/test_kernels.py", "-k", "phase"],
    ),
    "16-bit arithmetic": (
        "_calculus.py",
        "return tf.float32 if",
        "return dtype if",
        ["tests/test_truth.py", "-k", "float16"],
    ),
    "a broadcast gradient not summed": (
        "_calculus.py",
        "dx = summed_to(dx, x)",
        "pass",
        ["tests/test_functions.py", "-k", "broadcast"],
    ),
    "a parameter rounded to 16 bits": (
        "_layers.py",
        "autocast=False,\n            )",
        ")",
        ["tests/test_layers.py", "-k", "mixed_precision_are"],
    ),
    "a mask dropped": (
        "_layers.py",
        "self.supports_masking = True",
        "self.supports_masking = False",
        ["tests/test_layers.py", "-k", "mask"],
    ),
    "Keras's names overridden": (
        "_keras_strings.py",
        "_taken_over(key) or super().get(key)",
        "_taken_over(key) or _ours(key) or super().get(key)",
        ["tests/test_strings.py", "-k", "keep_their_meaning"],
    ),
    "the user's objects ignored": (
        "_keras_strings.py",
        "_theirs(key) or _ours(key)",
        "_ours(key)",
        ["tests/test_strings.py", "-k", "users"],
    ),
}


def _copy(folder):
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "output*")
    return pathlib.Path(shutil.copytree(ROOT, pathlib.Path(folder) / "copy", ignore=ignored))


def _failures(copy, tests):
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rf", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *tests], cwd=copy, capture_output=True, text=True, check=False)
    if "passed" not in done.stdout and "failed" not in done.stdout:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return [line for line in done.stdout.splitlines() if line.startswith("FAILED")]


def _of(names, tests):
    """The tests of some pages only."""
    of_pages = f"({' or '.join(names)})"
    if "-k" not in tests:
        return [*tests, "-k", of_pages]
    *files, _, chosen = tests
    return [*files, "-k", f"({chosen}) and {of_pages}"]


def main():
    """Prints one line for each way of breaking the code, or the pages that are named."""
    pages = sorted(p.stem for p in (ROOT / "keras_activations" / "activations").glob("[a-z]*.py"))
    named = sys.argv[1:]
    if strange := set(named) - set(pages):
        sys.exit(f"There is no page {', '.join(sorted(strange))}.")
    pages = named or pages
    for way, (addition, tests) in PAGES.items():
        if named:
            tests = _of(named, tests)
        with tempfile.TemporaryDirectory() as folder:
            copy = _copy(folder)
            for name in pages:
                path = copy / "keras_activations" / "activations" / f"{name}.py"
                path.write_text(path.read_text() + addition)
            failures = _failures(copy, tests)
        noticed = {name for name in pages for f in failures if re.search(rf"[\[.]{name}[-\]]", f)}
        green = ", ".join(sorted(set(pages) - noticed)) or "none"
        noticed_by = f"{len(noticed)} of {len(pages)} pages noticed"
        print(f"{way}: {noticed_by}; green, or nothing to break: {green}", flush=True)
    for way, (file, before, after, tests) in ({} if named else ELSEWHERE).items():
        with tempfile.TemporaryDirectory() as folder:
            copy = _copy(folder)
            path = copy / "keras_activations" / file
            text = path.read_text()
            if before not in text:
                sys.exit(f"{way}: {file} has no {before!r} to replace.")
            path.write_text(text.replace(before, after))
            failures = _failures(copy, tests)
        print(f"{way}: {len(failures)} tests noticed", flush=True)


if __name__ == "__main__":
    main()
