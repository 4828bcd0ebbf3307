// Numbers that carry a derivative, [value, slope], for the formulas of formulas.js. A plain number
// is a constant.

const dual = (u) => (typeof u === "number" ? [u, 0] : u);
const number = (u) => dual(u)[0];

// By the chain rule; a constant stays one where the slope is infinite.
const lifted = (value, slope) => (u) => {
  const [v, d] = dual(u);
  return [value(v), d === 0 ? 0 : slope(v) * d];
};

const binary = (value, slope) => (a, b) => {
  const [u, du] = dual(a);
  const [v, dv] = dual(b);
  return [value(u, v), slope(u, v, du, dv)];
};

const add = binary((u, v) => u + v, (u, v, du, dv) => du + dv);
const sub = binary((u, v) => u - v, (u, v, du, dv) => du - dv);
const mul = binary((u, v) => u * v, (u, v, du, dv) => du * v + u * dv);
const div = binary((u, v) => u / v, (u, v, du, dv) => du / v - ((u / v) * dv) / v);
// All exponents are constants.
const pow = (a, n) => lifted((v) => v ** number(n), (v) => number(n) * v ** (number(n) - 1))(a);
const max = (a, b) => (number(a) >= number(b) ? a : b);
const min = (a, b) => (number(a) <= number(b) ? a : b);

const abs = lifted(Math.abs, Math.sign);
const atan = lifted(Math.atan, (v) => 1 / (1 + v * v));
const cos = lifted(Math.cos, (v) => -Math.sin(v));
const exp = lifted(Math.exp, Math.exp);
const log = lifted(Math.log, (v) => 1 / v);
const sign = lifted(Math.sign, () => 0);
const sin = lifted(Math.sin, Math.cos);
const sqrt = lifted(Math.sqrt, (v) => 0.5 / Math.sqrt(v));
const tanh = lifted(Math.tanh, (v) => 1 - Math.tanh(v) ** 2);
const erf = lifted(errorFunction, (v) => (2 / Math.sqrt(Math.PI)) * Math.exp(-v * v));

// A series of positive terms, so that nothing cancels; beyond 6 it is 1 in double precision.
function errorFunction(x) {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let term = (2 / Math.sqrt(Math.PI)) * x * Math.exp(-x * x);
  let sum = term;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return sum;
}

// The value and the slope of the backward pass at a number.
function evaluate(activation, x, p) {
  let [value, slope] = dual(activation.value([x, 1], p));
  if (activation.backward) slope = number(activation.backward(x, p));
  if (Number.isNaN(slope)) {
    // Infinity over infinity, somewhere on the way.
    const h = 1e-4 * Math.max(1, Math.abs(x));
    slope = (number(activation.value(x + h, p)) - number(activation.value(x - h, p))) / (2 * h);
  }
  return [value, slope];
}
