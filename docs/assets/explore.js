// The page to explore: curves with parameters to drag, and a signal on its way through layers.

const COLOURS = ["#1f8fd6", "#e0701a", "#12a878", "#c76aa0", "#b58900", "#6c71c4", "#7f8490"];
const [WIDTH, BATCH, DEEPEST] = [64, 32, 60];
const find = (id) => document.getElementById(id);
const chosen = [];

// Mulberry32 and Box–Muller: the same normal numbers at every visit.
function normals(count, seed) {
  const uniform = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

const weights = Array.from({ length: DEEPEST }, (_, layer) => normals(WIDTH * WIDTH, layer + 1));

// Makes up for what the activation does to a standard normal signal, or to its gradients.
function ownGain(activation, p, order) {
  let [moment, total] = [0, 0];
  for (let x = -9; x <= 9; x += 1 / 256) {
    const density = Math.exp(-0.5 * x * x);
    moment += density * evaluate(activation, x, p)[order] ** 2;
    total += density;
  }
  return Math.sqrt(total / moment);
}

const GAINS = {
  one: () => 1,
  he: () => Math.SQRT2,
  forward: (activation, p) => ownGain(activation, p, 0),
  backward: (activation, p) => ownGain(activation, p, 1),
};

// Mean and variance of each layer's outputs, and the size of the gradient at its inputs.
function travel(activation, p, depth, gain) {
  const scale = gain / Math.sqrt(WIDTH);
  const slopes = [];
  const [mean, variance, gradient] = [[], [], []];
  let inputs = normals(WIDTH * BATCH, 0);
  for (let layer = 0; layer < depth; layer++) {
    const both = Array.from(inputs, (x) => evaluate(activation, x, p));
    const outputs = both.map((pair) => pair[0]);
    slopes.push(both.map((pair) => pair[1]));
    mean.push(outputs.reduce((sum, y) => sum + y, 0) / outputs.length);
    variance.push(outputs.reduce((sum, y) => sum + (y - mean[layer]) ** 2, 0) / outputs.length);
    inputs = product(outputs, weights[layer], scale, false);
  }
  let upstream = normals(WIDTH * BATCH, -1);
  for (let layer = depth - 1; layer >= 0; layer--) {
    if (layer < depth - 1) upstream = product(upstream, weights[layer], scale, true);
    upstream = upstream.map((g, i) => g * slopes[layer][i]);
    gradient[layer] = Math.sqrt(upstream.reduce((sum, g) => sum + g * g, 0) / upstream.length);
  }
  return { mean, variance, gradient };
}

function product(rows, matrix, scale, transposed) {
  const result = new Float64Array(rows.length);
  const [across, along] = transposed ? [WIDTH, 1] : [1, WIDTH];
  for (let start = 0; start < rows.length; start += WIDTH) {
    for (let j = 0; j < WIDTH; j++) {
      let sum = 0;
      for (let i = 0; i < WIDTH; i++) sum += rows[start + i] * matrix[i * along + j * across];
      result[start + j] = sum * scale;
    }
  }
  return result;
}

const linear = { of: (v) => v, ticks: (low, high) => steps(low, high), name: short };
const logarithmic = {
  of: (v) => Math.log10(v),
  ticks: (low, high) => steps(low, high).filter((t) => Number.isInteger(t)),
  name: (t) => short(10 ** t),
};

function short(v) {
  const size = Math.abs(v);
  return size !== 0 && (size >= 1e4 || size < 1e-3) ? v.toExponential(0) : String(+v.toPrecision(4));
}

function steps(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

// Curves are {x, y, colour}; what is not finite leaves a gap.
function draw(id, curves, scale, bounds = [-Infinity, Infinity]) {
  const [width, height, left, bottom] = [420, 260, 52, 26];
  const points = curves.map(({ x, y, colour }) => ({
    colour,
    at: Array.from(x, (v, i) => [v, scale.of(y[i])]),
  }));
  const xs = curves.flatMap(({ x }) => [x[0], x[x.length - 1]]);
  const ys = points.flatMap(({ at }) => at.map((a) => a[1])).filter(Number.isFinite);
  if (ys.length === 0) ys.push(0);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs, Math.min(...xs) + 1e-9)];
  const [least, most] = [ys.reduce((a, b) => Math.min(a, b)), ys.reduce((a, b) => Math.max(a, b))];
  let [low, high] = [Math.max(bounds[0], least), Math.min(bounds[1], most)];
  if (low > high) [low, high] = [least, most]; // All of it is outside of the bounds.
  const margin = Math.max(0.06 * (high - low), scale === linear ? 0.02 : 0.5);
  [low, high] = [low - margin, high + margin];
  const across = (x) => left + ((x - x0) / (x1 - x0)) * (width - left - 8);
  const up = (y) => height - bottom - ((y - low) / (high - low)) * (height - bottom - 8);
  const grid = scale.ticks(low, high).map(
    (t) =>
      `<path class="grid" d="M${left},${up(t)}H${width - 8}"/>` +
      `<text x="${left - 6}" y="${up(t) + 4}" text-anchor="end">${scale.name(t)}</text>`,
  );
  const labels = steps(x0, x1).map(
    (t) => `<text x="${across(t)}" y="${height - 6}" text-anchor="middle">${short(t)}</text>`,
  );
  const lines = points.map(({ at, colour }) => {
    let pen = "M";
    const path = at.map(([x, y]) => {
      if (!Number.isFinite(y)) {
        pen = "M";
        return "";
      }
      // Far outside it need not be exact, and must not be too large for the browser.
      const clipped = Math.min(Math.max(y, low - 10 * (high - low)), high + 10 * (high - low));
      const text = `${pen}${across(x).toFixed(1)},${up(clipped).toFixed(1)}`;
      pen = "L";
      return text;
    });
    return `<path class="curve" stroke="${colour}" d="${path.join("")}"/>`;
  });
  const clip = `<clipPath id="${id}-clip"><rect x="${left}" y="4" width="${width - left - 4}" height="${height - bottom}"/></clipPath>`;
  find(id).innerHTML =
    `<svg viewBox="0 0 ${width} ${height}" role="img">${clip}${grid.join("")}${labels.join("")}` +
    `<g clip-path="url(#${id}-clip)">${lines.join("")}</g></svg>`;
}

function redraw() {
  const reach = Number(find("reach").value);
  const depth = Number(find("depth").value);
  find("reach-text").textContent = `±${reach}`;
  find("depth-text").textContent = depth;
  const x = Array.from({ length: 801 }, (_, i) => (reach * (i - 400)) / 400);
  const layers = Array.from({ length: depth }, (_, i) => i + 1);
  const [curves, signals] = [[[], []], { mean: [], variance: [], gradient: [] }];
  for (const { name, p, colour, gainText } of chosen) {
    const activation = ACTIVATIONS[name];
    const both = x.map((v) => evaluate(activation, v, p));
    [0, 1].forEach((k) => curves[k].push({ x, y: both.map((pair) => pair[k]), colour }));
    const gain = GAINS[find("gain").value](activation, p);
    gainText.textContent = `gain ${short(+gain.toPrecision(4))}`;
    const found = travel(activation, p, depth, gain);
    for (const [id, list] of Object.entries(signals)) list.push({ x: layers, y: found[id], colour });
  }
  find("nothing").hidden = chosen.length > 0;
  find("pictures").hidden = chosen.length === 0;
  if (chosen.length === 0) return;
  draw("value", curves[0], linear, [-1.5 * reach, 1.5 * reach]);
  draw("slope", curves[1], linear, [-8, 8]);
  draw("mean", signals.mean, linear);
  draw("variance", signals.variance, logarithmic);
  draw("gradient", signals.gradient, logarithmic);
}

let waiting = 0;
function soon() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(redraw);
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function slider({ name, index, low, high }, p) {
  const several = index !== null;
  const value = several ? p[name][index] : p[name];
  const text = element("output", { textContent: short(value) });
  const input = element("input", { type: "range", min: low, max: high, step: "any", value });
  input.addEventListener("input", () => {
    const now = +Number(input.value).toPrecision(3);
    if (several) p[name][index] = now;
    else p[name] = now;
    text.textContent = short(now);
    soon();
  });
  return element("label", {}, several ? `${name}[${index}] ` : `${name} `, input, text);
}

function choose(name) {
  const activation = ACTIVATIONS[name];
  if (!activation || chosen.length === COLOURS.length) return;
  const colour = COLOURS.find((c) => chosen.every((one) => one.colour !== c));
  const p = structuredClone(activation.defaults);
  const gainText = element("small", {});
  const one = { name, p, colour, gainText };
  const swatch = element("span", { className: "swatch" });
  swatch.style.background = colour;
  const remove = element("button", { type: "button", textContent: "×", title: `Remove ${name}` });
  const link = element("a", { href: `activations/${name}.html`, textContent: name });
  const row = element(
    "div",
    { className: "one" },
    element("span", { className: "name" }, swatch, link, gainText, remove),
    ...activation.sliders.map((s) => slider(s, p)),
  );
  remove.addEventListener("click", () => {
    chosen.splice(chosen.indexOf(one), 1);
    row.remove();
    soon();
  });
  chosen.push(one);
  find("chosen").append(row);
  soon();
}

function start() {
  const families = Map.groupBy
    ? Map.groupBy(Object.keys(ACTIVATIONS), (name) => ACTIVATIONS[name].family)
    : new Map([["", Object.keys(ACTIVATIONS)]]);
  for (const [family, names] of families) {
    const options = names.map((name) => element("option", { value: name, textContent: name }));
    find("add").append(element("optgroup", { label: family }, ...options));
  }
  find("add").addEventListener("change", () => {
    choose(find("add").value);
    find("add").value = "";
  });
  for (const id of ["reach", "depth"]) find(id).addEventListener("input", soon);
  find("gain").addEventListener("change", soon);
  const names = new URLSearchParams(location.search).get("names") ?? find("explorer").dataset.names;
  names.split(",").forEach(choose);
}

start();
