"""Makes the figures, tables and numbers of docs/choosing.md (`make figures`).

It takes some minutes, and half an hour with the images of CIFAR-10 in the folder `CIFAR10_DIR`.
"""

import math
import os
import pathlib
import shutil
import warnings

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot

import keras_activations as ka
from keras_activations import _runs, cli, plotting
from keras_activations.commands.compare import digits

FOLDER = pathlib.Path(__file__).parent / "figures"
GUIDE = FOLDER.parent / "choosing.md"
BUILD = FOLDER.parent.parent / "build"
COMPARED = ("relu", "leaky_relu", "elu", "gelu", "mish", "snake(alpha=5.0)", "tanh", "sigmoid")
LAYERS, UNITS, EXAMPLES = 50, 256, 256
EPOCHS = 15


def depth():
    """How large signals and gradients are after each of many layers."""
    figure, axes = pyplot.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained", sharex=True)
    for number, name in enumerate(("relu", "tanh", "mish", "sigmoid")):
        for kind, line in (("Glorot's weights", "--"), ("ka.initializer", "-")):
            style = {"color": plotting.style(number)["color"], "linestyle": line}
            signals, gradients = _through_layers(name, kind)
            axes[0].semilogy(range(1, LAYERS + 1), signals, label=f"{name}, {kind}", **style)
            axes[1].semilogy(range(LAYERS, 0, -1), gradients, **style)
    axes[0].set_title("second moment of the sums, by layer")
    axes[1].set_title("norm of the gradient, by layer")
    for ax in axes:
        ax.set_xlabel("layer")
        ax.set_ylim(1e-12, 1e3)
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False)
    _save(figure, "depth")


def _through_layers(name, kind):
    function = ka.get(name)
    z = tf.random.stateless_normal([EXAMPLES, UNITS], [0, 0])
    kernels, inputs, signals = [], [], []
    for layer in range(LAYERS):
        glorot = keras.initializers.GlorotNormal(layer)
        initializer = ka.initializer(name, seed=layer) if kind == "ka.initializer" else glorot
        kernels.append(initializer((UNITS, UNITS)))
        inputs.append(z)
        z = function(z) @ kernels[-1]
        signals.append(float(tf.reduce_mean(tf.square(z))))
    upstream = tf.random.stateless_normal(z.shape, [1, 0]) / z.shape.num_elements() ** 0.5
    gradients = []
    for kernel, z in zip(reversed(kernels), reversed(inputs), strict=True):
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = function(z)
        upstream = tape.gradient(y, z, upstream @ tf.transpose(kernel))
        gradients.append(float(tf.norm(upstream)))
    return signals, gradients


def dying():
    """The share of units that no gradient passes, while a network learns too fast, or not."""
    figure, ax = pyplot.subplots(figsize=(7.0, 3.4), layout="constrained")
    for rate, place in ((0.03, "dying"), (0.001, "slower")):
        last = {}
        for number, name in enumerate(("relu", "leaky_relu", "elu", "gelu", "mish")):
            shares = _dead(name, rate)
            last[name] = shares[-1]
            if place == "dying":
                ax.plot(shares, label=name, **plotting.style(number))
        titles = ["", *(f"`{name}`" for name in last)]
        cells = [f"{100.0 * share:.1f} %" for share in last.values()]
        after = f"dead after {EPOCHS} epochs, learning rate {rate}"
        _insert(place, _runs.as_markdown(titles, [[after, *cells]]))
    ax.set_title("share of dead units")
    ax.set_xlabel("epoch")
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False)
    _save(figure, "dying")


def _dead(name, rate):
    (x, y), _ = digits()
    keras.utils.set_random_seed(0)
    dense = [keras.layers.Dense(64, activation=name) for _ in range(3)]
    model = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Rescaling(1 / 16), *dense, keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    monitor = ka.ActivationMonitor(x[:128])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of dead units, which are what is looked for.
        model.fit(x, y, epochs=EPOCHS, batch_size=128, verbose=0, callbacks=[monitor])
    dead = [[r["dead"] for r in monitor.history if r["epoch"] == n] for n in range(EPOCHS + 1)]
    return [sum(row) / len(row) for row in dead]


def comparison():
    """The same small network with several activations."""
    train, validation = digits()
    folder = BUILD / "choosing"
    found = ka.compare(COMPARED, train, validation, seeds=5, epochs=4, target=0.9, folder=folder)
    figure, axes = pyplot.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")
    found.plot(axes)
    _save(figure, "comparison")
    _insert("comparison", f"```text\n{_without_times(str(found))}\n```")


def cifar10(data):
    """The same on CIFAR-10, by the command that the guide shows."""
    command = "compare relu leaky_relu gelu mish tanh"
    options = "--limit 10000 --seeds 5 --epochs 6"
    given = f"{command} {options}".split()
    if cli.main([*given, "--data", data, "--folder", str(BUILD / "cifar10")]):
        raise SystemExit(f"There is no table of the images in {data}.")
    shown = f"python -m keras_activations {command} \\\n    {options} --data CIFAR10_FOLDER"
    table = _without_times((BUILD / "cifar10" / "table.txt").read_text())
    _insert("cifar10", f"```sh\n{shown}\n```\n\n```text\n{table}\n```")
    shutil.copy(BUILD / "cifar10" / "curves.png", FOLDER / "cifar10.png")


def _without_times(table):
    """A table without the column of durations, which say more of the machine's other work."""
    header, *_ = lines = table.splitlines()
    start = header.index("step time")
    end = header.find("epochs to") if "epochs to" in header else len(header) + 99
    return "\n".join(f"{line[:start]}{line[end:]}".rstrip() for line in lines)


def numbers():
    """What the guide says in numbers."""
    x = np.linspace(-200.0, 200.0, 2**20, dtype="float32")
    wide = x.astype("float64")
    differing = np.abs(ka.gelu(wide) - ka.gelu_tanh(wide)).max()
    positive = x[ka.softplus(x).numpy() > 0.0].min()
    inside = x[ka.bounded_tanh(x).numpy() < 1.0].max()
    lost = ka.gain("sigmoid") / ka.gain("sigmoid", "backward")
    layers = math.log(10.0) / -math.log(lost)
    rows = [
        ("largest difference of `gelu` and `gelu_tanh`", f"{differing:.2g}"),
        ("`softplus(x)` is above 0 in float32 from x =", f"{positive:.0f}"),
        ("`bounded_tanh(x)`, bounds ±1, is below 1 in float32 up to x =", f"{inside:.1f}"),
        ("Keras's losses clip probabilities at", f"{keras.config.epsilon():g}"),
        ("`sigmoid`, weights that keep the signal: what is left of the gradient", f"{lost:.2f}"),
        ("layers in which it shrinks tenfold", f"{layers:.1f}"),
    ]
    _insert("numbers", _runs.as_markdown(["what", "how much"], rows))


def _insert(place, text):
    """Puts a text where the guide has a place of that name."""
    start, end = f"<!-- {place} -->", "<!-- end -->"
    before, found, rest = GUIDE.read_text().partition(f"{start}\n")
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{GUIDE} has no place for {place}.")
    _runs.write(GUIDE, f"{before}{start}\n\n{text}\n\n{end}{after}")


def _save(figure, name):
    plotting.save(figure, FOLDER / f"{name}.png")


if __name__ == "__main__":
    depth()
    dying()
    comparison()
    numbers()
    if images := os.environ.get("CIFAR10_DIR"):
        cifar10(images)
    else:
        print("CIFAR10_DIR is not set to the folder of its images: their table is as it was.")
