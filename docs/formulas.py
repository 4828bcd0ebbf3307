"""The registry's formulas, Python expressions, as LaTeX and as JavaScript."""

import ast
import json
import re

_GREEK = {"alpha", "beta", "gamma", "lambda", "mu", "pi", "sigma", "tau"}
_FUNCTIONS = {
    "atan": r"\arctan",
    "cos": r"\cos",
    "erf": r"\operatorname{erf}",
    "log": r"\ln",
    "max": r"\max",
    "min": r"\min",
    "sign": r"\operatorname{sgn}",
    "sin": r"\sin",
    "tanh": r"\tanh",
}
_RELATIONS = {
    ast.Eq: "=",
    ast.NotEq: r"\neq",
    ast.Lt: "<",
    ast.LtE: r"\leq",
    ast.Gt: ">",
    ast.GtE: r"\geq",
}
# How tightly an expression holds together; what is looser than its place asks for gets brackets.
_SUM, _PRODUCT, _POWER, _ATOM = range(4)
_TIGHTNESS = {ast.Add: _SUM, ast.Sub: _SUM, ast.Mult: _PRODUCT, ast.Pow: _POWER}


def latex(formula: str) -> str:
    """A formula as LaTeX.

    Args:
        formula: Python expression, as the registry has it.

    Returns:
        LaTeX, for display.

    Raises:
        ValueError: If it has something for which mathematics has no common notation.
    """
    body = ast.parse(formula, mode="eval").body
    if isinstance(body, ast.ListComp):
        return rf"{_latex(body.elt)} \quad \text{{for }} {_members(body)}"
    return _latex(body)


def _latex(node: ast.expr, place: int = _SUM) -> str:
    text = _typeset(node)
    if _tightness(node) < place:
        return rf"\left({text}\right)"
    return text


def _tightness(node: ast.expr) -> int:
    if isinstance(node, ast.BinOp):
        return _TIGHTNESS.get(type(node.op), _POWER)
    if isinstance(node, ast.UnaryOp):
        return _PRODUCT
    if isinstance(node, ast.IfExp):
        return _SUM
    return _ATOM


def _typeset(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=int() | float()):
            return f"{node.value:.6g}"
        case ast.Name():
            return _name(node.id)
        case ast.Subscript(slice=ast.Constant()):
            return f"{_latex(node.value)}_{{{node.slice.value}}}"
        case ast.UnaryOp(op=ast.USub()):
            return f"-{_latex(node.operand, _PRODUCT)}"
        case ast.BinOp():
            return _operation(node)
        case ast.IfExp():
            return rf"\begin{{cases}} {_cases(node)} \end{{cases}}"
        case ast.Compare(ops=[ast.IsNot()]):
            return rf"{_latex(node.left)} \text{{ is given}}"
        case ast.Compare(ops=[operator]):
            relation = _RELATIONS[type(operator)]
            return f"{_latex(node.left)} {relation} {_latex(node.comparators[0])}"
        case ast.BoolOp(op=ast.And()):
            return r" \text{ and } ".join(map(_latex, node.values))
        case ast.Call(func=ast.Name()):
            return _call(node.func.id, node.args)
    raise ValueError(f"No notation for {ast.unparse(node)}")


def _operation(node: ast.BinOp) -> str:
    match node.op:
        case ast.Div():
            return rf"\frac{{{_latex(node.left)}}}{{{_latex(node.right)}}}"
        case ast.Pow():
            return f"{_latex(node.left, _ATOM)}^{{{_latex(node.right)}}}"
        case ast.Mult():
            right = _latex(node.right, _POWER)
            sign = r"\cdot" if right[0].isdigit() else r"\,"
            return f"{_latex(node.left, _PRODUCT)} {sign} {right}"
        case ast.Add():
            return f"{_latex(node.left)} + {_latex(node.right)}"
        case ast.Sub():
            return f"{_latex(node.left)} - {_latex(node.right, _PRODUCT)}"
    raise ValueError(f"No notation for {ast.unparse(node)}")


def _call(name: str, arguments: list[ast.expr]) -> str:
    match name, arguments:
        case "exp", [power]:
            return f"e^{{{_latex(power)}}}"
        case "sqrt", [square]:
            return rf"\sqrt{{{_latex(square)}}}"
        case "abs", [inner]:
            return rf"\left|{_latex(inner)}\right|"
        case "sum", [ast.GeneratorExp() as terms]:
            return rf"\sum_{{{_members(terms)}}} {_latex(terms.elt, _PRODUCT)}"
    if name not in _FUNCTIONS:
        raise ValueError(f"No notation for {name}")
    inner = ", ".join(map(_latex, arguments))
    return rf"{_FUNCTIONS[name]}\left({inner}\right)"


def _cases(node: ast.IfExp) -> str:
    row = rf"{_latex(node.body)} & \text{{if }} {_latex(node.test)} \\ "
    if isinstance(node.orelse, ast.IfExp):
        return row + _cases(node.orelse)
    return row + rf"{_latex(node.orelse)} & \text{{otherwise}}"


def _members(node: ast.ListComp | ast.GeneratorExp) -> str:
    match node.generators:
        case [ast.comprehension(target=ast.Name(), iter=ast.Name()) as each]:
            return rf"{each.target.id} \in {each.iter.id}"
    raise ValueError(f"No notation for {ast.unparse(node)}")


def _name(name: str) -> str:
    stem, index = re.fullmatch(r"([a-z]+?)_?(\d*|(?<=_).*)", name).groups()
    if stem not in _GREEK and len(stem) > 1:
        return rf"\text{{{name}}}"
    symbol = rf"\{stem}" if stem in _GREEK else stem
    if index.isalpha():
        index = rf"\text{{{index}}}"
    return f"{symbol}_{{{index}}}" if index else symbol


def javascript(expression: str) -> str:
    """A formula as JavaScript on dual numbers, by the functions of `assets/duals.js`.

    Args:
        expression: Python expression in x and in parameters.

    Returns:
        JavaScript expression in `x` and in an object `p` of parameters.

    Raises:
        ValueError: If it has something that those functions have not.
    """
    return _script(ast.parse(expression, mode="eval").body)


_OPERATIONS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_COMPARISONS = {
    ast.Eq: "===",
    ast.NotEq: "!==",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_DUAL = {"abs", "atan", "cos", "erf", "exp", "log", "max", "min", "sign", "sin", "sqrt", "tanh"}


def _script(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=int() | float() | None):
            return json.dumps(node.value)
        case ast.Name(id="x"):
            return "x"
        case ast.Name(id="pi"):
            return "Math.PI"
        case ast.Name():
            return f"p.{node.id}"
        case ast.Subscript(slice=ast.Constant()):
            return f"{_script(node.value)}[{node.slice.value}]"
        case ast.UnaryOp(op=ast.USub()):
            return f"sub(0, {_script(node.operand)})"
        case ast.BinOp():
            return f"{_OPERATIONS[type(node.op)]}({_script(node.left)}, {_script(node.right)})"
        case ast.IfExp():
            branches = f"{_script(node.body)} : {_script(node.orelse)}"
            return f"({_script(node.test)} ? {branches})"
        case ast.Compare(ops=[ast.IsNot()]):
            return f"{_script(node.left)} !== {_script(node.comparators[0])}"
        case ast.Compare(ops=[operator]):
            left, right = (f"number({_script(n)})" for n in (node.left, node.comparators[0]))
            return f"{left} {_COMPARISONS[type(operator)]} {right}"
        case ast.BoolOp(op=ast.And()):
            return " && ".join(map(_script, node.values))
        case ast.Call(func=ast.Name(id=name)) if name in _DUAL:
            return f"{name}({', '.join(map(_script, node.args))})"
    raise ValueError(f"No JavaScript for {ast.unparse(node)}")
