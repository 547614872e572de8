// The page of trends, drawn anew for any metric of any experiment; what is chosen is in the address.
(() => {
  "use strict";

  const { elements, fragment, measured, numerals, shards } = runhive;
  const { element, quiet, select, checkbox } = elements;
  const { shown, visible, number, falls, isShare, when } = numerals;
  const { shownChange, pValue } = runhive.changes;
  const AXES = [["run", "run"], ["commit", "commit"], ["time", "time"]];
  const host = document.getElementById("rh-trends-live");
  const experiments = shards("trends")[0] ?? [];
  let open = null;

  function state() {
    const told = fragment.read();
    const experiment = experiments.find((one) => one.experiment === told.get("experiment")) ?? experiments[0];
    const metric = experiment.metrics.find((one) => one.metric === told.get("metric"))
      ?? experiment.metrics.find((one) => one.metric === experiment.main) ?? experiment.metrics[0];
    const axis = AXES.some(([name]) => name === told.get("axis")) ? told.get("axis") : "run";
    return { experiment, metric, axis, log: told.get("log") === "1" };
  }

  function show() {
    open?.destroy();
    const { experiment, metric, axis, log } = state();
    const points = measured(experiment.experiment, metric.metric);
    const drawn = points.length > 1;
    const plot = drawn ? element("div", { class: "rh-plot", role: "group", "aria-label": summary(metric, points) }) : soFar(metric, points);
    const caption = drawn ? captionOf(points, metric) : "";
    const change = (changes) => { fragment.write(changes); show(); };
    host.replaceChildren(
      element(
        "div", { class: "rh-controls" },
        select("Experiment", experiments.map((one) => [one.experiment, visible(one.experiment || "no experiment named", 60)]), experiment.experiment, (name) => change({ experiment: name })),
        select("Metric", experiment.metrics.map((one) => [one.metric, visible(one.metric, 60)]), metric.metric, (name) => change({ metric: name })),
        select("Across", AXES, axis, (name) => change({ axis: name })),
        checkbox("log scale", log, (isOn) => change({ log: isOn ? "1" : null })),
      ),
      element("figure", { class: "rh-chart rh-card" }, element("figcaption", {}, visible(metric.metric, 80), " ", quiet(caption)), plot),
      drawn ? flags(metric, points) : "",
    );
    open = drawn ? runhive.lineChart(plot, chartOf(metric, points, axis, log)) : null;
  }

  /** What there is to say while there is nothing to draw. */
  function soFar(metric, points) {
    if (!points.length) return element("p", { class: "rh-quiet" }, "No run has a value of it.");
    const [{ id, value }] = points;
    const link = element("a", { class: "rh-id", href: `../runs/${id}.html` }, id);
    return element("p", {}, element("b", {}, shown(metric.metric, value)), " in ", link, quiet(". The trend begins with the second result."));
  }

  function summary(metric, points) {
    const ends = points.length ? `from ${shown(metric.metric, points[0].value)} to ${shown(metric.metric, points.at(-1).value)}` : "no values";
    return `${visible(metric.metric, 60)} of ${number(points.length)} runs, oldest first, ${ends}`;
  }

  function captionOf(points, metric) {
    const last = points.at(-1);
    const isScored = last && metric.metric.startsWith(`${last.set}.`) && typeof last.digest === "string";
    const on = isScored ? `; the latest on ${visible(last.set, 40)}, digest ${visible(last.digest.slice(0, 12))}, metrics version ${last.version}` : "";
    const best = falls(metric.metric) ? "lowest" : "highest";
    return `${number(points.length)} runs${on}. The staircase is the ${best} so far; click or press Enter for the run; drag to zoom.`;
  }

  function flags(metric, points) {
    const known = new Set(points.map((point) => point.id));
    const listed = metric.steps.filter(([id]) => known.has(id)).map(([id, before, after, p]) => element(
      "li", {}, "since ", element("a", { class: "rh-id", href: `../runs/${id}.html` }, id),
      ` ${shown(metric.metric, before)} → ${shown(metric.metric, after)}, ${shownChange(metric.metric, after - before)}, ${pValue(p)}`,
    ));
    return listed.length ? element("ul", { class: "rh-flags", "aria-label": "Flagged steps of this metric" }, listed) : element("p", { class: "rh-quiet" }, "No step of this metric is flagged.");
  }

  function chartOf(metric, points, axis, log) {
    const places = measured.placesOf(points, axis);
    const placeOf = new Map(points.map((point, index) => [point.id, places[index]]));
    const lines = [];
    const bands = [];
    for (const piece of measured.pieces(points, metric.breaks)) {
      const at = piece.map((point) => placeOf.get(point.id));
      const [value, band] = piecesLines(piece, at, metric.metric);
      if (band) bands.push([lines.length, lines.length + 1, "var(--rh-check)"]);
      lines.push(...(band ?? []), ...value);
    }
    const half = axis === "time" ? 0 : 0.5;
    const mark = (id, text, css, dash) => ({ at: placeOf.get(id) - half, text, colour: css, dash });
    return {
      lines, bands, log, time: axis === "time", whole: true, most: isShare(metric.metric) ? 1 : undefined, format: (value) => shown(metric.metric, value),
      place: (at) => (at !== null && Number.isInteger(at) ? number(at) : ""),
      describe: (at) => describe(points.filter((_, index) => places[index] === at), metric, axis),
      marks: [
        ...metric.breaks.filter(([id]) => placeOf.has(id)).map(([id, why]) => mark(id, why, "var(--rh-quiet)", [3, 3])),
        ...metric.steps.filter(([id]) => placeOf.has(id)).map(([id, before, after]) => mark(id, shownChange(metric.metric, after - before), "var(--rh-honey)")),
      ],
      pick: (at) => {
        const picked = points.findLast((_, index) => places[index] === at);
        if (picked) location.href = `../runs/${picked.id}.html`;
      },
    };
  }

  /** The lines of one piece: values and the best so far, and its interval's two edges where it has one. */
  function piecesLines(piece, at, metric) {
    const [places, last] = atLast(at);
    const of = (value) => last.map((index) => value(piece[index], index));
    const best = measured.bestSoFar(piece, metric);
    const values = { at: places, values: of((point) => point.value), colour: "var(--rh-check)", points: true, label: "", width: 1.5 };
    const staircase = { at: places, values: of((_, index) => best[index]), colour: "var(--rh-quiet)", stepped: true, dash: [4, 3], label: "best so far", width: 1 };
    const isBounded = piece.every((point) => point.low !== null) && places.length > 1;
    const edge = (pick) => ({ at: places, values: of(pick), colour: "transparent", silent: true, width: 0 });
    return [[staircase, values], isBounded ? [edge((point) => point.high), edge((point) => point.low)] : null];
  }

  /** Rising places and, for each, the last point there: of several runs of one commit, the line goes through the last. */
  function atLast(at) {
    const last = new Map(at.map((place, index) => [place, index]));
    const places = [...last.keys()].sort((one, other) => one - other);
    return [places, places.map((place) => last.get(place))];
  }

  function describe(here, metric, axis) {
    if (!here.length) return "";
    const run = here.at(-1);
    const interval = run.low === null ? "" : ` [${shown(metric.metric, run.low)}–${shown(metric.metric, run.high)}]`;
    const started = Number.isFinite(run.started) ? when(1000 * run.started) : "";
    const commit = run.commit ? `commit ${visible(run.commit, 60).slice(0, 8)}` : "";
    const many = here.length > 1 ? `last of ${here.length} runs of one ${axis}` : "";
    return [run.id, started, commit, many, `${shown(metric.metric, run.value)}${interval}${run.selected ? ", selected on these images" : ""}`].filter(Boolean).join(" · ");
  }

  if (host && experiments.length && experiments.some((one) => one.metrics.length)) {
    addEventListener("hashchange", show);
    show();
  }
})();
