// Curves of several runs over each other, one chart for each quantity that any of them has.
(() => {
  "use strict";

  const { element, select, checkbox } = runhive.elements;
  const { colour, dash } = runhive.colours;
  const { isShare, number, seconds, shown, visible } = runhive.numerals;
  const MOST_WITH_RAW = 6; // runs whose unsmoothed line is shown, too
  const SCHEDULED = ["lr", "seconds"];
  const AXES = { epoch: "epoch", step: "step", second: "seconds" };

  /**
   * Fills *host*. *state* holds `axis` (own or time), `smooth` (0 to 0.99) and `log`; *keep* writes changes of it.
   * Returns `redraw`, to be called when *isDim* says something else of a run.
   */
  function curves(host, runs, state, keep, isDim) {
    const groups = grouped(runs);
    const drawn = new Map();
    let frame = 0;
    const charts = element("div", { class: "rh-charts rh-curves" });
    const empty = runs.filter((run) => !run.curves.length);
    host.replaceChildren(
      controls(state, (changes) => { Object.assign(state, changes); keep(changes); soon(); }),
      element("p", { class: "rh-quiet rh-caption" }, caption(runs, empty)),
      charts,
    );
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) make(target);
    }, { rootMargin: "200px" });
    const figures = groups.map(figure);
    charts.append(...figures.map((one) => one.figure));

    function make(target) {
      const one = figures.find((figure) => figure.figure === target);
      if (drawn.has(one) || !window.uPlot) return;
      one.plot.chart = runhive.lineChart(one.plot, chartOf(one.group, state, isDim));
      drawn.set(one, one.plot.chart);
    }

    function soon() {
      cancelAnimationFrame(frame); // a slider tells more often than a screen shows
      frame = requestAnimationFrame(draw);
    }

    function draw() {
      for (const chart of drawn.values()) chart.destroy();
      drawn.clear();
      seen.disconnect();
      figures.forEach((one) => { one.note.textContent = noteOf(one.group, state); seen.observe(one.figure); });
    }

    const all = () => figures.forEach((one) => make(one.figure)); // paper has no place to scroll to
    addEventListener("beforeprint", all);
    draw();
    return {
      redraw: () => drawn.forEach((chart) => chart.redraw()),
      destroy() {
        removeEventListener("beforeprint", all);
        seen.disconnect();
        drawn.forEach((chart) => chart.destroy());
      },
    };
  }

  function caption(runs, empty) {
    if (!window.uPlot) return "This site was built with --static, without what draws curves.";
    const none = empty.length ? ` No curves: ${empty.map((run) => `${run.number} (${run.value("state")})`).join(", ")}.` : "";
    return `Drag to zoom, double-click to see all again; arrow keys move the cursor of a focused chart.${none}`;
  }

  function controls(state, change) {
    const told = element("output", {}, String(state.smooth));
    return element(
      "div", { class: "rh-controls" },
      select("Across", [["own", "epoch or step"], ["time", "wall time"]], state.axis, (axis) => change({ axis })),
      element(
        "label", { class: "rh-field" }, element("span", {}, "Smoothing"),
        element("input", {
          type: "range", min: 0, max: 0.99, step: 0.01, value: state.smooth,
          oninput: (event) => { told.textContent = event.target.value; change({ smooth: Number(event.target.value) }); },
        }),
        told,
      ),
      checkbox("log scale", state.log, (log) => change({ log })),
    );
  }

  /** The quantities, what is looked for first at the top, each with the runs that have it. */
  function grouped(runs) {
    const found = new Map();
    for (const run of runs) {
      for (const curve of run.curves) {
        const key = `${curve.axis} ${curve.name}`;
        if (!found.has(key)) found.set(key, { name: curve.name, axis: curve.axis, curves: [] });
        found.get(key).curves.push({ run, curve });
      }
    }
    return [...found.values()].sort((one, other) => rank(one) - rank(other));
  }

  /** How right the model is, its losses, what else was logged, what the schedule did, the machine. */
  function rank({ name, axis }) {
    if (axis === "second") return 4;
    if (isShare(name)) return 0;
    if (name.endsWith("loss")) return 1;
    return SCHEDULED.includes(name) ? 3 : 2;
  }

  function figure(group) {
    const name = visible(group.name, 80);
    const ends = group.curves.map(({ run, curve }) => `run ${run.number}: ${number(curve.values.at(-1))}`);
    const plot = element("div", { class: "rh-plot", role: "group", "aria-label": `${name}, at the end ${ends.join(", ")}` });
    const note = element("span", { class: "rh-quiet" });
    return { group, plot, note, figure: element("figure", { class: "rh-chart" }, element("figcaption", {}, name, " ", note), plot) };
  }

  function noteOf(group, state) {
    const values = group.curves.flatMap(({ curve }) => curve.values);
    const lost = state.log ? values.filter((value) => !(value > 0)).length : 0;
    const across = state.axis === "time" ? "wall time" : AXES[group.axis];
    return `by ${across}${lost ? `; ${number(lost)} values that are not above 0 are not drawn` : ""}`;
  }

  function chartOf(group, state, isDim) {
    const isTime = state.axis === "time" || group.axis === "second";
    const lines = group.curves.flatMap(({ run, curve }) => {
      const at = isTime ? curve.seconds : curve.at;
      const [places, raw] = rising(at, curve.values);
      const line = {
        at: places, values: smoothed(raw, state.smooth), colour: colour(run.number), dash: dash(run.number),
        mark: String(run.number), label: visible(run.label, 40), opacity: () => (isDim(run) ? 0.15 : 1),
      };
      const withRaw = state.smooth > 0 && group.curves.length <= MOST_WITH_RAW;
      return withRaw ? [{ ...line, values: raw, faint: true, dash: [] }, line] : [line];
    });
    const place = (at) => (at === null ? "" : isTime ? seconds(at) : number(at));
    return {
      lines, log: state.log, place, whole: !isTime, sync: `rh-${isTime ? "time" : group.axis}`,
      most: isShare(group.name) ? 1 : undefined,
      format: (value) => shown(group.name, value), describe: (at) => (isTime ? place(at) : `${group.axis} ${place(at)}`),
    };
  }

  /** Without places that do not rise: a clock that was set back, or two values of one moment, of which the last counts. */
  function rising(at, values) {
    if (at.every((place, index) => !index || place > at[index - 1])) return [at, values];
    const kept = [];
    at.forEach((place, index) => {
      while (kept.length && at[kept.at(-1)] >= place) kept.pop();
      kept.push(index);
    });
    return [kept.map((index) => at[index]), kept.map((index) => values[index])];
  }

  /** The exponential moving average with its start corrected, as TensorBoard has it. */
  function smoothed(values, weight) {
    if (!weight) return values;
    let [sum, share] = [0, 0];
    return values.map((value) => {
      sum = weight * sum + (1 - weight) * value;
      share = weight * share + (1 - weight);
      return sum / share;
    });
  }

  runhive.curves = Object.assign(curves, { smoothed, rising });
})();
