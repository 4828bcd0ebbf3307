"""PyTorch's and JAX's side of the benchmark: run by a Python that need not have TensorFlow.

Reads requests as lines of JSON and answers each with one; imports nothing of the package.
"""

import importlib
import json
import sys
import time
from typing import Any


class Torch:
    """An expression in `torch` and `x`, run eagerly."""

    def __init__(self, threads: int, device: str):
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)
        self.torch.set_default_device(device.replace("GPU", "cuda").lower())

    def prepare(self, expression: str, shape: list[int], dtype: str, points: Any) -> Any:
        """Sets what is timed next, and returns its values at a few points."""
        self.function = eval(f"lambda x: {expression}", {"torch": self.torch})
        self.x = (self.torch.randn(shape) * 3).to(getattr(self.torch, dtype))
        self.upstream = self.torch.randn_like(self.forward())
        return self.function(self.torch.tensor(points)).tolist()

    def forward(self) -> Any:
        """The value alone."""
        with self.torch.no_grad():
            return self.function(self.x)

    def both(self) -> Any:
        """The gradient, the value before it included."""
        x = self.x.detach().requires_grad_()
        self.function(x).backward(self.upstream)
        return x.grad

    def finish(self, result: Any) -> None:
        """Waits for what is still queued."""
        if result.is_cuda:
            self.torch.cuda.synchronize()


class Jax:
    """An expression in `jax` and `x`, compiled."""

    def __init__(self, threads: int, device: str):
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_default_device", self.jax.devices(device.lower())[0])

    def prepare(self, expression: str, shape: list[int], dtype: str, points: Any) -> Any:
        """Sets what is timed next, and returns its values at a few points."""
        function = eval(f"lambda x: {expression}", {"jax": self.jax})
        normal, key = self.jax.random.normal, self.jax.random.key
        self.x = (normal(key(0), shape) * 3).astype(dtype)
        self.upstream = normal(key(1), function(self.x).shape).astype(dtype)

        def both(x: Any, upstream: Any) -> Any:
            y, backward = self.jax.vjp(function, x)
            return y, backward(upstream)[0]

        self.compiled, self.compiled_both = self.jax.jit(function), self.jax.jit(both)
        return function(self.jax.numpy.array(points)).tolist()

    def forward(self) -> Any:
        """The value alone."""
        return self.compiled(self.x)

    def both(self) -> Any:
        """The value and the gradient."""
        return self.compiled_both(self.x, self.upstream)

    def finish(self, result: Any) -> None:
        """Waits for what is still queued."""
        self.jax.block_until_ready(result)


def main(name: str, threads: str, device: str) -> None:
    """Answers requests until there are no more."""
    framework: Any = {"torch": Torch, "jax": Jax}[name](int(threads), device)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "expression" in request:
                answer = framework.prepare(**request)
            else:
                call = getattr(framework, request["call"])
                begin = time.perf_counter()
                for _ in range(request["repetitions"]):
                    result = call()
                framework.finish(result)
                answer = time.perf_counter() - begin
            print(json.dumps({"answer": answer}), flush=True)
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"[:200]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
