"""What an activation is measured against: Keras's, TensorFlow's, and three lines of one's own."""

import ast
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_activations._registry import ActivationInfo

Function = Callable[[Any], Any]


def keras_form(info: ActivationInfo) -> Function | None:
    """Keras's own function, if it has one.

    Args:
        info: The activation.

    Returns:
        Function of x, or None.
    """
    if info.keras:
        return _Expression(info.keras, {"keras": keras})
    return getattr(keras.activations, info.name, None)


def tensorflow_form(info: ActivationInfo) -> Function | None:
    """The function in `tf.nn`, if there is one.

    Args:
        info: The activation.

    Returns:
        Function of x, or None.
    """
    return getattr(tf.nn, info.name, None)


def naive_form(info: ActivationInfo) -> Function | None:
    """The registered formula, typed into TensorFlow as it stands.

    Args:
        info: The activation.

    Returns:
        Function of x, or None for what is no scalar expression. Of a gated unit it takes the two
        halves of the last axis.
    """
    inputs = info.symbols - set(_TENSOR_FUNCTIONS) - set(info.parameters)
    if not (inputs <= {"x"} and info.elementwise) and inputs != {"a", "b"}:
        return None
    return _Expression(info.formula, {**_TENSOR_FUNCTIONS, **info.parameters})


class _Expression:
    """A Python expression in x, or in its halves a and b, as a function of a tensor."""

    def __init__(self, text: str, names: Mapping[str, Any]):
        tree = ast.fix_missing_locations(_Branches().visit(ast.parse(text, mode="eval")))
        self.code = compile(tree, "<formula>", "eval")
        self.names = names
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        self.takes_halves = "a" in used - set(names)

    def __call__(self, x: Any) -> Any:
        names = {**self.names, "where": functools.partial(_where, x), "x": x}
        if self.takes_halves:
            names["a"], names["b"] = tf.split(x, 2, -1)
        return eval(self.code, {"__builtins__": {}, **names})


class _Branches(ast.NodeTransformer):
    """Turns `a if c else b` into `where(c, lambda: a, lambda: b)`."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        arguments = ast.arguments([], [], None, [], [], None, [])
        branches = [ast.Lambda(arguments, branch) for branch in (node.body, node.orelse)]
        return ast.Call(ast.Name("where", ast.Load()), [node.test, *branches], [])


def _where(x: Any, condition: Any, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
    # A formula such as `1 if x >= 0 else 0` forgets the dtype of x.
    if isinstance(condition, bool):
        return then() if condition else other()
    return tf.where(condition, tf.cast(then(), x.dtype), tf.cast(other(), x.dtype))


def _of_number_or_tensor(name: str, of_tensor: Callable[..., Any]) -> Callable[..., Any]:
    of_number = getattr(math, name)

    def function(value: Any) -> Any:
        return of_number(value) if isinstance(value, int | float) else of_tensor(value)

    return function


def _of_two(of_tensors: Callable[..., Any]) -> Callable[..., Any]:
    def function(one: Any, other: Any) -> Any:
        # In a graph a number takes the dtype of the tensor before it, not of one after it.
        return of_tensors(other, one) if isinstance(one, int | float) else of_tensors(one, other)

    return function


_TENSOR_FUNCTIONS = {
    "abs": tf.abs,
    "atan": _of_number_or_tensor("atan", tf.atan),
    "cos": _of_number_or_tensor("cos", tf.cos),
    "erf": _of_number_or_tensor("erf", tf.math.erf),
    "exp": _of_number_or_tensor("exp", tf.exp),
    "expm1": _of_number_or_tensor("expm1", tf.math.expm1),
    "log": _of_number_or_tensor("log", tf.math.log),
    "log1p": _of_number_or_tensor("log1p", tf.math.log1p),
    "max": _of_two(tf.maximum),
    "min": _of_two(tf.minimum),
    "pi": math.pi,
    "sign": tf.sign,
    "sin": _of_number_or_tensor("sin", tf.sin),
    "sqrt": _of_number_or_tensor("sqrt", tf.sqrt),
    "tanh": _of_number_or_tensor("tanh", tf.tanh),
}
