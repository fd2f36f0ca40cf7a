// Interactive curves: every figure that carries data gets a chart in the place of its picture.
"use strict";

const LINES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const LINES_ON_DARK = ["#4BA3E3", "#F0803C", "#2CC99A", "#E39CC4", "#F0B93A", "#8CCBF2", "#F2F4F7"];
const DASHES = [[], [9, 4], [2, 3], [10, 3, 2, 3]]; // one each time the colors start again
const FLOOR_DASH = [5, 4];
const NAMED = 5; // lines in the box beside the cursor
const MARK_REACH = 12; // pixels from the cursor to a mark whose value is read
const dark = matchMedia("(prefers-color-scheme: dark)");

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const lineColor = (index) => (dark.matches ? LINES_ON_DARK : LINES)[index % LINES.length];
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

function showNumber(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2);
  return size >= 1000 ? whole.format(value) : String(Number(value.toPrecision(5)));
}

// Large numbers in short, 123.1K, with so many digits that neighbours on an axis differ.
function compactFormat(splits) {
  const there = splits.filter((split) => split !== null);
  const step = Math.min(...there.slice(1).map((split, place) => Math.abs(split - there[place])));
  const digits = Math.ceil(Math.log10(Math.max(...there.map(Math.abs)) / step)) + 1;
  const maximumSignificantDigits = Math.min(Math.max(digits, 3), 15);
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits });
}

// Round numbers between the ends of an axis: fewer to a power of ten the more powers it spans.
function logSplits(plot, axis, low, high) {
  const powers = Math.log10(high / low);
  const digits = powers > 3 ? [1] : powers > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const splits = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const digit of digits) splits.push(Number(`${digit}e${power}`));
  }
  const within = splits.filter((split) => split >= low && split <= high);
  return within.length > 1 ? within : [low, high];
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

class CurveChart {
  constructor(figure, data) {
    this.data = data;
    this.axis = data.axis;
    this.log = { x: false, y: false };
    this.ranges = data.lines.length <= 12;
    this.hidden = new Set();
    this.names = [
      ...data.lines.map((line) => line.label),
      ...data.floors.map((floor) => `floor: ${floor.label}`),
      ...(data.marks ? [data.marks.label] : []),
    ];
    this.place = figure.querySelector(".chart");
    const title = figure.querySelector("h3").textContent;
    this.canvas = element("div", { className: "canvas", role: "img", ariaLabel: title });
    this.box = element("div", { className: "readout", hidden: true });
    this.legend = element("div", { className: "legend" });
    this.place.append(this.makeControls(), this.canvas, this.legend);
    this.place.hidden = false;
    this.draw();
    figure.classList.add("live");
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(this.place);
    dark.addEventListener("change", () => this.draw());
  }

  size() {
    const width = this.place.clientWidth;
    return { width, height: Math.round(Math.min(430, Math.max(270, width * 0.48))) };
  }

  // What can be chosen -----------------------------------------------------------------

  makeControls() {
    const there = (axis) => this.data.lines.some((line) => line.points[axis].x.length);
    const against = Object.keys(this.data.xLabels).filter(there).map((axis) =>
      this.button(axis.replace("_", " "), () => this.axis === axis, () => { this.axis = axis; }));
    const switches = [
      this.button("log x", () => this.log.x, () => { this.log.x = !this.log.x; }),
      this.button("log y", () => this.log.y, () => { this.log.y = !this.log.y; }),
    ];
    if (this.data.lines.some((line) => line.seeds > 1)) {
      switches.push(this.button("ranges", () => this.ranges, () => { this.ranges = !this.ranges; }));
    }
    this.reset = element("button", { type: "button", textContent: "reset zoom", hidden: true });
    this.reset.onclick = () => this.draw();
    const group = (label, buttons) =>
      element("span", { className: "group", role: "group", ariaLabel: label }, ...buttons);
    return element("div", { className: "controls" }, element("span", { textContent: "loss against" }),
      group("x axis", against), group("scales and ranges", switches), this.reset);
  }

  button(text, isOn, act) {
    const made = element("button", { type: "button", textContent: text });
    (this.refreshers ??= []).push(() => made.setAttribute("aria-pressed", isOn()));
    made.onclick = () => { act(); this.draw(); };
    return made;
  }

  makeLegend() {
    const items = this.names.map((name, index) => {
      const seeds = this.data.lines[index]?.seeds ?? 1;
      const note = seeds > 1 ? ` (${seeds} seeds)` : "";
      const item = element("button", { type: "button" }, this.swatch(index), name + note);
      item.setAttribute("aria-pressed", !this.hidden.has(index));
      item.onclick = () => this.toggle(index);
      item.ondblclick = () => this.showAlone(index);
      return item;
    });
    this.legend.replaceChildren(...items);
  }

  toggle(index) {
    if (!this.hidden.delete(index)) this.hidden.add(index);
    this.applyHidden();
  }

  showAlone(index) {
    const lines = this.data.lines.keys();
    const others = [...lines].filter((line) => line !== index);
    const isAlone = others.every((line) => this.hidden.has(line));
    for (const line of others) isAlone ? this.hidden.delete(line) : this.hidden.add(line);
    this.hidden.delete(index);
    this.applyHidden();
  }

  applyHidden() {
    this.plot.batch(() => this.parts.forEach((part, index) =>
      this.plot.setSeries(index + 1, { show: !this.hidden.has(part.name) })));
    [...this.legend.children].forEach((item, index) =>
      item.setAttribute("aria-pressed", !this.hidden.has(index)));
  }

  // A short piece of the line, dashes included.
  swatch(index) {
    const svg = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
      return made;
    };
    const stroke = this.colorOf(index);
    const isMark = index >= this.data.lines.length + this.data.floors.length;
    const drawing = svg("svg", { "aria-hidden": true });
    drawing.append(isMark ? svg("circle", { cx: 14, cy: 4, r: 3, stroke, fill: "none" })
      : svg("line", { x2: 28, y1: 4, y2: 4, stroke, "stroke-dasharray": this.dashOf(index),
        "stroke-width": this.isFloor(index) ? 1.5 : 3 }));
    return drawing;
  }

  dashOf(index) {
    if (this.isFloor(index)) return FLOOR_DASH;
    return DASHES[Math.floor(index / LINES.length) % DASHES.length];
  }

  isFloor(index) {
    const place = index - this.data.lines.length;
    return place >= 0 && place < this.data.floors.length;
  }

  colorOf(index) {
    if (index < this.data.lines.length) return lineColor(index);
    return color(this.isFloor(index) ? "--soft" : "--ink");
  }

  // The picture ------------------------------------------------------------------------

  // One part for each column of numbers: {name, role, columns: [x, y], options of uPlot}
  makeParts() {
    const parts = [];
    this.data.lines.forEach((line, name) => {
      const { x, mean, low, high, alone } = line.points[this.axis];
      const dash = this.dashOf(name);
      const stroke = lineColor(name);
      parts.push({ name, role: "mean", x, y: mean,
        options: { stroke, dash, width: 1.8, points: { show: x.length < 3 } } });
      for (const y of alone) {
        parts.push({ name, role: "seed", x, y, options: { stroke, width: 0.7, points: { show: false } } });
      }
      if (!this.ranges || !low.length) return;
      const edge = { stroke: "transparent", width: 0, points: { show: false } };
      parts.push({ name, role: "high", x, y: high, options: edge });
      parts.push({ name, role: "low", x, y: low, options: edge });
    });
    const marks = this.data.marks?.axis === this.axis ? this.data.marks : null;
    const drawn = marks ? [...parts, marks] : parts;
    const everywhere = drawn.flatMap(({ x }) => (x.length ? [x[0], x.at(-1)] : []));
    const [first, last] = [Math.min(...everywhere), Math.max(...everywhere)];
    const ends = !everywhere.length ? [] : first < last ? [first, last] : [first / 2, first * 1.5];
    this.data.floors.forEach((floor, index) => {
      const name = this.data.lines.length + index;
      const flat = (role, y, options) => parts.push({ name, role, x: ends, y: ends.map(() => y),
        options: { ...options, points: { show: false } } });
      flat("floor", floor.y, { stroke: color("--soft"), dash: FLOOR_DASH, width: 1 });
      if (!floor.band) return;
      const [low, high] = floor.band;
      flat("high", high, { stroke: "transparent", width: 0 });
      flat("low", low, { stroke: "transparent", width: 0 });
    });
    if (marks) {
      parts.push({ name: this.names.length - 1, role: "mark", x: marks.x, y: marks.y, options: {
        stroke: color("--ink"), paths: () => null, points: { show: true, size: 8 } } });
    }
    return parts;
  }

  draw() {
    this.plot?.destroy();
    this.refreshers.forEach((refresh) => refresh());
    this.reset.hidden = true;
    this.parts = this.makeParts();
    this.makeLegend();
    const positive = (value) => (value !== null && value > 0 ? value : null);
    const tables = this.parts.map(({ x, y }) => {
      const kept = [...x.keys()].filter((place) => !this.log.x || x[place] > 0);
      return [kept.map((place) => x[place]),
        kept.map((place) => (this.log.y ? positive(y[place]) : y[place]))];
    });
    const bands = this.parts.flatMap((part, index) => (part.role === "high"
      ? [{ series: [index + 1, index + 2], fill: `${this.colorOf(part.name)}30` }] : []));
    this.plot = new uPlot({
      ...this.size(),
      legend: { show: false },
      series: [{}, ...this.parts.map((part) =>
        ({ ...part.options, show: !this.hidden.has(part.name) }))],
      bands,
      scales: { x: this.xScale(), y: this.yScale() },
      axes: [
        this.axisOptions(this.data.xLabels[this.axis], this.log.x, 46),
        this.axisOptions(this.data.yLabel, this.log.y, 62),
      ],
      cursor: {
        drag: { x: true, y: true, uni: 30 },
        dataIdx: (plot, series, index) => this.nearest(plot, series, index),
        points: { size: 7 },
      },
      hooks: {
        setCursor: [(plot) => this.readOut(plot)],
        setSelect: [(plot) => { this.reset.hidden = !plot.select.width && !plot.select.height; }],
      },
    }, uPlot.join(tables), this.canvas);
    this.plot.over.append(this.box);
    this.plot.over.addEventListener("dblclick", () => { this.reset.hidden = true; });
  }

  yScale() {
    const range = (_, low, high) => {
      if (low === null) return [0.1, 1];
      const top = Math.min(high, Math.max(low, this.data.top ?? high));
      if (this.log.y) {
        const factor = top > low ? (top / low) ** 0.05 : 2;
        return [low / factor, top * factor];
      }
      const room = 0.05 * (top - low || Math.abs(top) || 1);
      return [low - room, top + room];
    };
    return { range, distr: this.log.y ? 3 : 1 };
  }

  xScale() {
    const range = (_, low, high) => {
      if (low === null) return [1, 10];
      return low < high ? [low, high] : [low / 2, high * 1.5]; // one point alone, no floors
    };
    return { time: false, range, distr: this.log.x ? 3 : 1 };
  }

  axisOptions(label, isLog, size) {
    const grid = { stroke: color("--line"), width: 1 };
    const values = (_, splits) => {
      const compact = compactFormat(splits);
      return splits.map((value) =>
        (value === null ? "" : Math.abs(value) >= 1e4 ? compact.format(value) : showNumber(value)));
    };
    const common = { label, labelSize: 22, size, values, grid, ticks: grid, stroke: color("--soft"),
      font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" };
    return isLog ? { ...common, splits: logSplits, filter: (_, splits) => splits } : common;
  }

  // The numbers under the cursor --------------------------------------------------------

  // Lines have points of their own: the one that is nearest to where the cursor is.
  nearest(plot, series, index) {
    if (series === 0) return index;
    const { role } = this.parts[series - 1];
    if (role !== "mean" && role !== "mark") return null;
    const [x, y] = [plot.data[0], plot.data[series]];
    const there = (place) => y[place] !== undefined && y[place] !== null;
    let [before, after] = [index, index];
    while (before >= 0 && !there(before)) before -= 1;
    while (after < y.length && !there(after)) after += 1;
    if (before < 0) return after < y.length && after === index ? after : null;
    if (after >= y.length) return before === index ? before : null;
    return x[index] - x[before] <= x[after] - x[index] ? before : after;
  }

  readOut(plot) {
    const { left, top, idxs } = plot.cursor;
    const found = this.parts.flatMap((part, index) => {
      const place = idxs?.[index + 1];
      const value = place == null ? null : plot.data[index + 1][place];
      if (value == null || this.hidden.has(part.name)) return [];
      const isFar = Math.abs(plot.valToPos(plot.data[0][place], "x") - left) > MARK_REACH;
      if (part.role === "mark" && isFar) return [];
      const near = Math.abs(plot.valToPos(value, "y") - top);
      return [{ part, value, near, x: plot.data[0][place], range: this.rangeAt(plot, index, place) }];
    });
    this.box.hidden = left < 0 || !found.length;
    if (this.box.hidden) return;
    found.sort((one, other) => one.near - other.near);
    const nearest = found[0];
    const shown = found.slice(0, NAMED).sort((one, other) => other.value - one.value);
    const head = `${showNumber(nearest.x)} ${this.axis.replace("_", " ")}`;
    this.box.replaceChildren(element("b", { textContent: head }), ...shown.map((each) => {
      const swatch = element("i", {});
      swatch.style.background = this.colorOf(each.part.name);
      const range = each === nearest ? each.range : "";
      const text = `${each.value.toPrecision(4)}${range} ${this.names[each.part.name]}`;
      return element("span", { className: each === nearest ? "near" : "" }, swatch, text);
    }));
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const room = plot.over.clientWidth;
    const beside = left + 14 + width <= room ? left + 14 : Math.max(0, left - 14 - width);
    this.box.style.left = `${Math.min(beside, Math.max(0, room - width))}px`;
    this.box.style.top = `${Math.max(0, Math.min(top + 12, plot.over.clientHeight - height))}px`;
  }

  rangeAt(plot, index, place) {
    const { name, role } = this.parts[index];
    const edge = this.parts.findIndex((part) => part.name === name && part.role === "high");
    if (role !== "mean" || edge < 0) return "";
    const [high, low] = [plot.data[edge + 1][place], plot.data[edge + 2][place]];
    return low == null || high == null ? "" : ` (${low.toPrecision(4)} to ${high.toPrecision(4)})`;
  }
}

for (const figure of document.querySelectorAll("figure")) {
  const data = figure.querySelector("script.chart-data");
  if (data) new CurveChart(figure, JSON.parse(data.textContent));
}
