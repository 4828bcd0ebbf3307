"""A soak: calls of changing shapes, dtypes and parameters leave memory and kernels as they are.

python tests/soak.py --calls 100000
"""

import argparse
import contextlib
import ctypes
import gc
import os
import pathlib
import random
import sys

import tensorflow as tf

import keras_activations as ka
from keras_activations import _calculus
from keras_activations._calculus import LARGE, SHAPES, _Kernel

DTYPES = ("float16", "bfloat16", "float32", "float64")
RANKS = (1, 2, 3, 4)
# A few: TensorFlow keeps every number of Python's that it ever made a tensor of.
VALUES = (0.5, 0.75, 1.0, 1.25, 1.5)
REPORTS = 20
# What an allocator may keep of what was given back.
SLACK = 0.01


def main(arguments=None):
    """Warms up, then calls and reports; the exit status is 1 if memory or kernels have grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("activations", nargs="*", help="names; all if there are none")
    parser.add_argument("--calls", type=int, default=100_000)
    given = parser.parse_args(arguments)
    infos = [ka.info(name) for name in given.activations] or ka.catalogue()
    graphs = {
        info: tf.function(info.function, input_signature=[tf.TensorSpec(None)], autograph=False)
        for info in infos
        if not info.required
    }
    # Else what is compiled in the end would come one by one, in hours.
    _calculus.USES = 1
    generator = random.Random(0)
    _report("before", graphs)
    _warm_up(generator, infos, graphs)
    reports = []
    for report in range(1, REPORTS + 1):
        for _ in range(given.calls // REPORTS):
            _call(generator, infos, graphs)
        reports.append(_report(report * given.calls // REPORTS, graphs))
    first, middle, last = reports[0], reports[REPORTS // 2 - 1], reports[-1]
    if last[1:] != first[1:]:
        print("There are more kernels, or traces, than before.")
    elif last[0] > middle[0] * (1.0 + SLACK):
        print("The memory has grown in the second half.")
    else:
        print("Memory, kernels and traces are as they were.")
        return 0
    return 1


def _warm_up(generator, infos, graphs):
    """Everything that may be kept: all dtypes and ranks, and so many shapes, small and large."""
    assert len(DTYPES) * len(RANKS) == SHAPES
    for info in infos:
        for dtype in DTYPES:
            for rank in RANKS:
                _gradient(info, tf.ones([2] * rank, dtype), {})
                _gradient(info, tf.ones([2] * rank, dtype), _parameters(info, generator))
        for size in range(SHAPES):
            _gradient(info, tf.ones([LARGE // 2 + size, 2]), {})
        # From its second use on a large shape is compiled.
        _gradient(info, tf.ones([LARGE // 2, 2]), {})
        if info in graphs:
            # XLA compiles it for some shapes, until it finds that they keep changing.
            for size in range(SHAPES):
                for _ in range(2):
                    graphs[info](tf.ones([size + 1, 2]))


def _call(generator, infos, graphs):
    info = generator.choice(infos)
    size = [generator.randint(1, 6) for _ in range(generator.choice(RANKS) - 1)]
    kind = generator.random()
    if kind < 0.01:
        _gradient(info, tf.ones([LARGE // 2 + generator.randint(0, LARGE), 2]), {})
    elif kind < 0.1 and info in graphs:
        graphs[info](tf.ones([*size, 2 * generator.randint(1, 4)]))
    else:
        x = tf.ones([*size, 2 * generator.randint(1, 4)], generator.choice(DTYPES))
        _gradient(info, x, _parameters(info, generator))


def _parameters(info, generator):
    names = [name for name, value in info.parameters.items() if isinstance(value, float)]
    return {name: generator.choice(VALUES) for name in names}


def _gradient(info, x, parameters):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = info.function(x, **info.required, **parameters)
    return tape.gradient(y, x)


def _report(calls, graphs):
    """Prints and returns the resident memory in MB, the kernels and the traces."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # What was given back is not in use.
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    kernels = sum(len(it.concrete) for it in gc.get_objects() if isinstance(it, _Kernel))
    traces = sum(graph.experimental_get_tracing_count() for graph in graphs.values())
    print(
        f"calls {calls:>7}  memory {memory:7.0f} MB  kernels {kernels:5}  traces {traces}",
        flush=True,
    )
    return memory, kernels, traces


if __name__ == "__main__":
    sys.exit(main())
