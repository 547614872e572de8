// Lines over a common axis, drawn by uPlot: zoom by dragging, values at the cursor, by mouse and by arrow keys.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { resolved, onScheme } = runhive.colours;
  const HEIGHT = 250;
  const GAP = 10; // pixels between the labels at the lines' ends
  const FAINT = 0.25;
  const WHOLE = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((one) => one * 10 ** power)).flat();
  const FONT = "11px -apple-system, 'Segoe UI', 'Noto Sans', sans-serif";

  /**
   * Draws *chart* into *host* and returns `{ redraw, destroy }`. A chart has `lines` and says how to `format` a value
   * and a place on its axis (`place`); `log`, `whole` (places are whole numbers), `time`, `most` (no value is above it), `sync` (a key), `bands` (pairs
   * of lines), `marks` and `pick` may be left out. A line has a `colour` (CSS), a `dash`, `at` in rising order, `values`, a `label` and perhaps a `mark` at
   * its end; it may be `faint`, `stepped`, of `points` alone or `silent` at the cursor.
   */
  function lineChart(host, chart) {
    const paint = (css) => resolved(host, css);
    const [at, ...values] = aligned(chart.lines, chart.log);
    const tip = element("div", { class: "rh-tip", role: "status", hidden: true });
    const plot = new window.uPlot(options(host, chart, paint, tip), [at, ...values], host);
    host.append(tip);
    const resize = new ResizeObserver(() => {
      const width = widthIn(host);
      if (width !== plot.width) plot.setSize({ width, height: HEIGHT }); // it is told of the first width too
    });
    resize.observe(host);
    const redraw = () => plot.redraw(false);
    const forget = onScheme(redraw);
    byKeys(host, plot, chart);
    return {
      redraw,
      plot,
      destroy() {
        resize.disconnect();
        forget();
        plot.destroy();
        tip.remove();
      },
    };
  }

  function options(host, chart, paint, tip) {
    const axis = {
      font: FONT, stroke: () => paint("var(--rh-quiet)"),
      grid: { stroke: () => paint("var(--rh-edge)"), width: 1 }, ticks: { show: false },
    };
    return {
      width: widthIn(host),
      height: HEIGHT,
      padding: [10, 30, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: Boolean(chart.time), range: (plot, low, high) => (plot.data[0].length === 1 ? around(plot.data[0][0], 0.5) : [low, high]) },
        y: chart.log ? { distr: 3 } : { distr: 1, range: (_, low, high) => roomFor(low, high, chart.most) },
      },
      axes: [
        { ...axis, size: chart.time ? 44 : 28, ...(chart.time ? {} : { values: (_, splits) => splits.map(chart.place), incrs: chart.whole ? WHOLE : undefined }) },
        { ...axis, size: 62, values: (_, splits) => splits.map((one) => (one === null ? "" : chart.format(one))) },
      ],
      series: [{}, ...chart.lines.map((line) => style(line, paint))],
      bands: (chart.bands ?? []).map(([high, low, css]) => ({ series: [high + 1, low + 1], fill: () => veiled(paint(css), 0.14) })),
      cursor: {
        drag: { x: true, y: false },
        points: { show: false },
        ...(chart.sync ? { sync: { key: chart.sync, setSeries: false } } : {}),
      },
      hooks: {
        setCursor: [(plot) => point(host, plot, chart, tip)],
        draw: [(plot) => drawMarks(plot, chart, paint), (plot) => drawEnds(plot, chart, paint)],
      },
    };
  }

  const widthIn = (host) => Math.max(200, host.clientWidth);

  const around = (value, margin) => [value - margin, value + margin];

  /** The ends of the upright axis: room around the values, but hardly any above *most*. */
  function roomFor(low, high, most = Infinity) {
    if (low === null) return [null, null];
    const [from, to] = low === high ? around(low, Math.abs(low) / 20 || 1) : window.uPlot.rangeNum(low, high, 0.1, true);
    return [from, high <= most ? Math.min(to, most + (most - from) / 50) : to];
  }

  function style(line, paint) {
    const stroke = () => veiled(paint(line.colour), line.faint ? FAINT : line.opacity?.() ?? 1);
    return {
      stroke,
      width: line.width ?? (line.faint ? 1 : 1.7),
      dash: line.dash,
      spanGaps: true,
      paths: line.points === "only" ? () => null : line.stepped ? window.uPlot.paths.stepped({ align: 1 }) : undefined,
      points: { show: Boolean(line.points) || line.at.length === 1, size: 7, stroke, fill: stroke },
    };
  }

  function veiled(colour, opacity) {
    return opacity === 1 ? colour : `color-mix(in srgb, ${colour} ${100 * opacity}%, transparent)`;
  }

  /** All places in one rising list, and each line's values at them; what a logarithm cannot show is left out. */
  function aligned(lines, log) {
    const [{ at: own }] = lines;
    const isSame = lines.every(({ at }) => at === own || (at.length === own.length && at.every((one, index) => one === own[index])));
    const at = isSame ? own : [...new Set(lines.flatMap((line) => line.at))].sort((a, b) => a - b);
    const shown = (value) => (log && !(value > 0) ? null : value);
    if (isSame) return [at, ...lines.map((line) => line.values.map(shown))];
    const places = new Map(at.map((one, index) => [one, index]));
    return [at, ...lines.map((line) => {
      const values = new Array(at.length).fill(null);
      line.at.forEach((one, index) => { values[places.get(one)] = shown(line.values[index]); });
      return values;
    })];
  }

  /** Shows what every line is at the cursor, in the chart under the mouse or with the keyboard's focus. */
  function point(host, plot, chart, tip) {
    const { left, top, idx } = plot.cursor;
    tip.hidden = idx === null || idx === undefined || left < 0 || !host.matches(":hover, :focus-within, :focus");
    if (tip.hidden) return;
    const place = plot.data[0][idx];
    const rows = chart.lines.filter((line) => !line.silent && !line.faint).map((line) => [line, nearest(line, place)]);
    const told = rows.filter(([, value]) => value !== null).sort((one, other) => other[1] - one[1]);
    tip.replaceChildren(
      element("p", {}, chart.describe?.(place) ?? chart.place(place)),
      element("ul", {}, told.slice(0, 20).map(([line, value]) => element(
        "li", {}, element("b", { style: `color:${line.colour}` }, line.mark ?? "●"), ` ${chart.format(value)} `,
        element("span", {}, line.label),
      ))),
    );
    const isRight = left > plot.over.clientWidth / 2;
    tip.style.left = `${plot.over.offsetLeft + left + (isRight ? -12 : 12)}px`;
    tip.style.top = `${plot.over.offsetTop + Math.max(0, Math.min(top, 60))}px`;
    tip.style.transform = isRight ? "translateX(-100%)" : "";
  }

  /** The value of *line* nearest to *place*; null beyond its ends. */
  function nearest(line, place) {
    const { at, values } = line;
    if (!at.length || place < at[0] || place > at[at.length - 1]) return null;
    let [low, high] = [0, at.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at[middle] <= place) low = middle;
      else high = middle;
    }
    return values[place - at[low] <= at[high] - place ? low : high];
  }

  /** Upright lines with a word at the top. */
  function drawMarks(plot, chart, paint) {
    for (const mark of chart.marks ?? []) {
      const x = plot.valToPos(mark.at, "x", true);
      if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
      const pen = begin(plot, paint(mark.colour));
      pen.setLineDash(mark.dash ?? []);
      pen.beginPath();
      pen.moveTo(x, plot.bbox.top);
      pen.lineTo(x, plot.bbox.top + plot.bbox.height);
      pen.stroke();
      pen.fillText(mark.text, x + 4 * devicePixelRatio, plot.bbox.top + 10 * devicePixelRatio);
      pen.restore();
    }
  }

  /** Each line's mark at its end, moved apart where they would lie on each other. */
  function drawEnds(plot, chart, paint) {
    const ratio = devicePixelRatio;
    const [first, last] = [plot.scales.x.min, plot.scales.x.max];
    const ends = chart.lines.flatMap((line) => {
      const end = line.mark && !line.faint ? lastWithin(line, first, last, chart.log) : null;
      if (end === null) return [];
      return [{ line, x: plot.valToPos(line.at[end], "x", true), y: plot.valToPos(line.values[end], "y", true) }];
    }).sort((one, other) => one.y - other.y);
    const bottom = plot.bbox.top + plot.bbox.height;
    for (const { line, x, y } of apart(ends, ratio, bottom)) {
      const pen = begin(plot, paint(line.colour));
      pen.globalAlpha = line.opacity?.() ?? 1;
      pen.fillText(line.mark, x + 4 * ratio, y + 4 * ratio);
      pen.restore();
    }
  }

  /** The labels, the highest first: moved down, and from the bottom up again, until none lies on another. */
  function apart(ends, ratio, bottom) {
    const gap = GAP * ratio;
    const beside = (one, others) => others.filter((other) => Math.abs(other.x - one.x) < 16 * ratio);
    const placed = ends.map((end) => ({ ...end }));
    placed.forEach((end, index) => {
      end.y = Math.max(end.y, ...beside(end, placed.slice(0, index)).map((other) => other.y + gap));
    });
    for (let index = placed.length - 1; index >= 0; index -= 1) {
      const end = placed[index];
      end.y = Math.min(end.y, bottom, ...beside(end, placed.slice(index + 1)).map((other) => other.y - gap));
    }
    return placed;
  }

  function lastWithin(line, first, last, log) {
    for (let index = line.at.length - 1; index >= 0; index -= 1) {
      const isDrawn = line.values[index] !== null && (!log || line.values[index] > 0);
      if (line.at[index] <= last && isDrawn) return line.at[index] >= first ? index : null;
    }
    return null;
  }

  function begin(plot, colour) {
    const pen = plot.ctx;
    pen.save();
    pen.font = `600 ${11 * devicePixelRatio}px sans-serif`;
    pen.fillStyle = colour;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.4 * devicePixelRatio;
    pen.textAlign = "left"; // uPlot's axes leave it centred
    pen.textBaseline = "alphabetic";
    return pen;
  }

  /** Arrow keys move the cursor, Enter picks, Escape shows all again. */
  function byKeys(host, plot, chart) {
    plot.over.addEventListener("click", () => {
      if (plot.cursor.idx !== null) chart.pick?.(plot.data[0][plot.cursor.idx]);
    });
    host.tabIndex = 0;
    host.addEventListener("keydown", (event) => {
      const [low, high] = [0, plot.data[0].length - 1];
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -high, End: high }[event.key];
      if (event.key === "Escape") plot.setData(plot.data);
      else if (event.key === "Enter" && plot.cursor.idx !== null) chart.pick?.(plot.data[0][plot.cursor.idx]);
      else if (step) {
        const from = plot.cursor.idx ?? (step > 0 ? low - 1 : high + 1);
        const place = Math.min(high, Math.max(low, from + step));
        plot.setCursor({ left: plot.valToPos(plot.data[0][place], "x"), top: 20 }, true, true);
      } else return;
      event.preventDefault();
    });
    host.addEventListener("blur", () => plot.setCursor({ left: -10, top: -10 }));
  }

  runhive.lineChart = Object.assign(lineChart, { aligned, apart });
})();
