"""Makes the figures and the table of docs/choosing.md (`make figures`, some minutes)."""

import pathlib
import re
import warnings

import keras
import tensorflow as tf
from matplotlib import pyplot

import keras_activations as ka
from keras_activations import plotting

FOLDER = pathlib.Path(__file__).parent / "figures"
GUIDE = FOLDER.parent / "choosing.md"
COMPARED = ("relu", "leaky_relu", "elu", "gelu", "mish", "snake(alpha=5.0)", "tanh", "sigmoid")
LAYERS, UNITS, EXAMPLES = 50, 256, 256


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
    """The share of units that no gradient passes, while a network learns too fast."""
    from keras_activations.commands.compare import digits

    (x, y), _ = digits()
    figure, ax = pyplot.subplots(figsize=(7.0, 3.4), layout="constrained")
    for number, name in enumerate(("relu", "leaky_relu", "elu", "gelu", "mish")):
        keras.utils.set_random_seed(0)
        dense = [keras.layers.Dense(64, activation=name) for _ in range(3)]
        model = keras.Sequential(
            [keras.layers.Flatten(), keras.layers.Rescaling(1 / 16), *dense, keras.layers.Dense(10)]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.03), loss)
        monitor = ka.ActivationMonitor(x[:128])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of dead units, which are what is looked for.
            model.fit(x, y, epochs=15, batch_size=128, verbose=0, callbacks=[monitor])
        epochs = sorted({row["epoch"] for row in monitor.history})
        dead = [[r["dead"] for r in monitor.history if r["epoch"] == epoch] for epoch in epochs]
        ax.plot(epochs, [sum(row) / len(row) for row in dead], label=name, **plotting.style(number))
    ax.set_title("share of dead units")
    ax.set_xlabel("epoch")
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False)
    _save(figure, "dying")


def comparison():
    """The same small network with several activations."""
    from keras_activations.commands.compare import digits

    train, validation = digits()
    folder = FOLDER.parent.parent / "build" / "choosing"
    found = ka.compare(COMPARED, train, validation, seeds=5, epochs=4, target=0.9, folder=folder)
    figure, axes = pyplot.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")
    found.plot(axes)
    _save(figure, "comparison")
    text = GUIDE.read_text()
    GUIDE.write_text(
        re.sub(
            r"(?<=<!-- comparison -->\n).*?(?=<!-- end -->)",
            f"\n```text\n{found}\n```\n\n",
            text,
            flags=re.DOTALL,
        )
    )


def _save(figure, name):
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", dpi=130)


if __name__ == "__main__":
    depth()
    dying()
    comparison()
