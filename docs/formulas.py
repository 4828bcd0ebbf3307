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
_SEPARATOR = r", \; "
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
    return _outputs(ast.parse(formula, mode="eval").body)


def _outputs(node: ast.expr) -> str:
    """What each output along the axis is, or the only one."""
    match node:
        case ast.BinOp(left=ast.ListComp(), op=ast.Add(), right=ast.ListComp()):
            return rf"{_outputs(node.left)}, \quad \text{{then }} {_outputs(node.right)}"
        case ast.ListComp():
            given = [_where(each) for each in node.generators if isinstance(each.iter, ast.List)]
            outputs = rf"{_latex(node.elt)} \quad \text{{for }} {_members(node)}"
            if not given:
                return outputs
            lines = r" \\ ".join([outputs, rf"\text{{where }} {given[0]}", *given[1:]])
            return rf"\begin{{array}}{{l}} {lines} \end{{array}}"
    return _latex(node)


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
            mantissa, _, exponent = f"{node.value:.6g}".partition("e")
            power = f"10^{{{int(exponent)}}}" if exponent else mantissa
            return power if mantissa in ("1", power) else rf"{mantissa} \cdot {power}"
        case ast.Name():
            return _name(node.id)
        case ast.Subscript(slice=ast.Slice(lower=first, upper=None, step=step)) if first and step:
            second = _latex(ast.BinOp(first, ast.Add(), step))
            return rf"{_item(node, _latex(first))}, {_item(node, second)}, \dots"
        case ast.Subscript(slice=ast.Slice(lower=first, upper=end, step=None)) if first and end:
            return rf"{_item(node, _latex(first))}, \dots, {_item(node, _before(end))}"
        case ast.Subscript():
            return _item(node, _latex(node.slice))
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
        case ast.Mod():
            return rf"{_latex(node.left, _POWER)} \bmod {_latex(node.right, _POWER)}"
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
        case "log1p", [inner]:
            return rf"\ln\left(1 + {_latex(inner)}\right)"
        case "len", [ast.Name(id="x")]:
            return "n"
        case "sum", [ast.GeneratorExp(elt=term, generators=[each])]:
            match each.iter:
                case ast.Call(func=ast.Name(id="range"), args=[end]):
                    bounds = f"_{{{_latex(each.target)}=0}}^{{{_before(end)}}}"
                case _:
                    bounds = f"_{{{_member(each)}}}"
            return rf"\sum{bounds} {_latex(term, _PRODUCT)}"
    # One letter is a function that the formula itself defines.
    if name not in _FUNCTIONS and len(name) > 1:
        raise ValueError(f"No notation for {name}")
    inner = ", ".join(map(_latex, arguments))
    return rf"{_FUNCTIONS.get(name, name)}\left({inner}\right)"


def _cases(node: ast.IfExp) -> str:
    row = rf"{_latex(node.body)} & \text{{if }} {_latex(node.test)} \\ "
    if isinstance(node.orelse, ast.IfExp):
        return row + _cases(node.orelse)
    return row + rf"{_latex(node.orelse)} & \text{{otherwise}}"


def _members(node: ast.ListComp) -> str:
    each = [_member(each) for each in node.generators if not isinstance(each.iter, ast.List)]
    return _SEPARATOR.join(each)


def _member(each: ast.comprehension) -> str:
    match each.target, each.iter:
        case ast.Name(), ast.Name():
            return rf"{_latex(each.target)} \in {_latex(each.iter)}"
        case ast.Name(), ast.Call(func=ast.Name(id="range"), args=[end]):
            return rf"{_latex(each.target)} = 0, \dots, {_before(end)}"
        case ast.Name(), ast.Call(func=ast.Name(id="range"), args=[first, end, step]):
            start = f"{_latex(each.target)} = {_latex(first)}, {_latex(step)}"
            return rf"{start}, 2 \, {_latex(step, _POWER)}, \dots < {_latex(end)}"
        case ast.Name(), ast.Call(func=ast.Name(id="sorted"), args=[inner]):
            return rf"{_latex(each.target)} \in \operatorname{{sort}}\left({_latex(inner)}\right)"
        case ast.Tuple(elts=[index, item]), ast.Call(func=ast.Name(id="zip"), args=[numbers, of]):
            counted = _member(ast.comprehension(index, numbers, [], 0))
            return rf"{counted}, \; {_latex(item)} = {_latex(of)}_{{{_latex(index)}}}"
    raise ValueError(f"No notation for {ast.unparse(each.iter)}")


def _where(each: ast.comprehension) -> str:
    """What the name of a list of one stands for."""
    name = _latex(each.target)
    match each.iter:
        case ast.List(elts=[ast.Lambda(args=arguments, body=body)]):
            return rf"{name}\left({_name(arguments.args[0].arg)}\right) = {_latex(body)}"
        case ast.List(elts=[ast.Call(func=ast.Name(id="root"), args=[equation, low, high])]):
            match equation:
                case ast.Lambda(body=ast.BinOp(left=left, op=ast.Sub(), right=right)):
                    bounds = rf"\left[{_latex(low)}, {_latex(high)}\right]"
                    return rf"{_latex(left)} = {_latex(right)}, \; {name} \in {bounds}"
    raise ValueError(f"No notation for {ast.unparse(each.iter)}")


def _item(node: ast.Subscript, index: str) -> str:
    return f"{_latex(node.value)}_{{{index}}}"


def _before(end: ast.expr) -> str:
    """The last whole number below a bound."""
    if isinstance(end, ast.Constant):
        return str(end.value - 1)
    return _latex(ast.BinOp(end, ast.Sub(), ast.Constant(1)))


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
