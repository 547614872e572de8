// The Compare page: the runs that its address names (#runs=a,b,c), put side by side.
(() => {
  "use strict";

  const { elements, fragment, chosen, picker, curves, scatter, parallel, differences, pairTable } = runhive;
  const { element, checkbox } = elements;
  const { columns, LEAST, MOST, SPEEDS, DERIVED } = chosen;
  const MOST_AXES = 8;
  const host = document.getElementById("rh-compare-live");
  const section = (id, title) => element("section", { id, class: "rh-compare-section" }, element("h2", { class: "rh-h2" }, title), element("div", {}));
  let open = null;
  let latest = 0;

  function wanted() {
    return [...new Set((fragment.read().get("runs") ?? "").split(",").filter(Boolean))].slice(0, MOST);
  }

  async function show() {
    const turn = (latest += 1);
    const ids = wanted();
    open?.destroy();
    open = null;
    const head = element("div", { class: "rh-card rh-picker" });
    picker(head, ids, (now) => { fragment.write({ runs: now.join(",") }); show(); });
    const body = element("div", { class: "rh-compared", "aria-busy": "true" });
    host.replaceChildren(head, body);
    const runs = await chosen.chosen(ids);
    if (turn !== latest) return; // others were chosen meanwhile
    if (runs.length >= LEAST) fill(body, runs);
    body.removeAttribute("aria-busy");
    performance.mark("rh-compared");
  }

  function fill(body, runs) {
    const state = fragment.read();
    const parts = {
      pairs: section("pairs", "Image by image"), curves: section("curves", "Curves"),
      differences: section("differences", "Parameters and metrics"), parallel: section("parallel", "Parallel coordinates"),
      scatter: section("scatter", "Scatter"),
    };
    const names = columnsOf(runs);
    let kept = new Set(runs);
    const isDim = (run) => !kept.has(run);
    body.replaceChildren(jump(parts), ...Object.values(parts));
    const inner = (part) => part.lastElementChild;
    pairTable(inner(parts.pairs), runs, { against: state.get("against"), flips: state.get("flips") }, fragment.write);
    differ(inner(parts.differences), runs, state.get("all") !== "1");
    const drawn = curves(inner(parts.curves), runs, curveState(state), keepCurves, isDim);
    const points = scatter(inner(parts.scatter), runs, names.map((name) => [name, scatter.shortName(name)]), scatterState(state, runs, names), fragment.write, isDim);
    coordinates(inner(parts.parallel), runs, names, state, (now) => {
      kept = new Set(now);
      drawn.redraw();
      points.redraw();
    });
    open = drawn;
  }

  function jump(parts) {
    return element("nav", { class: "rh-jump", "aria-label": "On this page" }, element("span", {}, Object.values(parts).map((part) =>
      element("a", { href: `#${part.id}`, onclick: (event) => { event.preventDefault(); part.scrollIntoView(); } }, part.firstElementChild.textContent))));
  }

  /** Columns with a value in any run that may be an axis: those that differ first. */
  function columnsOf(runs) {
    const names = [...columns(runs, "params."), ...columns(runs, "metrics.").filter((name) => !/_(low|high)$/.test(name)), ...SPEEDS.filter((name) => columns(runs, name).length), DERIVED];
    const varies = (name) => chosen.differs(runs.map((run) => run.value(name)));
    return [...names.filter(varies), ...names.filter((name) => !varies(name))];
  }

  function curveState(state) {
    const smooth = Number(state.get("smooth"));
    return { axis: state.get("axis") === "time" ? "time" : "own", smooth: smooth > 0 && smooth < 1 ? smooth : 0, log: state.get("log") === "1" };
  }

  function keepCurves({ axis, smooth, log }) {
    fragment.write({
      ...(axis === undefined ? {} : { axis: axis === "time" ? "time" : null }),
      ...(smooth === undefined ? {} : { smooth: smooth || null }), ...(log === undefined ? {} : { log: log ? "1" : null }),
    });
  }

  function differ(host, runs, onlyDiffering) {
    const tables = element("div", {});
    const act = (only) => { fragment.write({ all: only ? null : "1" }); differences(tables, runs, only); };
    host.replaceChildren(element("div", { class: "rh-controls" }, checkbox("differences only", onlyDiffering, act)), tables);
    differences(tables, runs, onlyDiffering);
  }

  /** By default the parameter with the most different values, of those that every run has, and the score. */
  function scatterState(state, runs, names) {
    const score = scoreOf(runs, names);
    const known = (name, otherwise) => (names.includes(name) ? name : otherwise);
    const isNumber = (name) => runs.every((run) => typeof run.value(name) === "number");
    const varied = mostVaried(runs, names);
    const x = varied.find(isNumber) ?? varied[0] ?? names.find((name) => name !== score) ?? score;
    return { x: known(state.get("x"), x), y: known(state.get("y"), score) };
  }

  function scoreOf(runs, names) {
    const accuracies = runs.map((run) => `metrics.${run.value("evaluation_set")}.accuracy`);
    return accuracies.find((name) => names.includes(name)) ?? names.find((name) => name.startsWith("metrics.")) ?? DERIVED;
  }

  /** The parameters that differ: the most different values first, then those that more runs have, and a seed last. */
  function mostVaried(runs, names) {
    const varied = names.filter((name) => name.startsWith("params.")).map((name) => {
      const values = runs.map((run) => run.value(name));
      return { name, isSeed: name.endsWith("seed"), different: new Set(values.map((value) => JSON.stringify(value))).size, there: values.filter((value) => value !== null).length };
    });
    return varied.filter((one) => one.different > 1)
      .sort((one, other) => one.isSeed - other.isSeed || other.different - one.different || other.there - one.there).map((one) => one.name);
  }

  function coordinates(host, runs, names, state, changed) {
    const score = scoreOf(runs, names);
    const given = fragment.list.from(state.get("axes")).filter((name) => names.includes(name));
    const differing = names.filter((name) => name !== score && chosen.differs(runs.map((run) => run.value(name))));
    let axes = given.length ? given : [...mostVaried(runs, differing).slice(0, MOST_AXES - 1), score];
    const ranges = rangesOf(state.get("brush"));
    const drawing = element("div", {});
    const draw = () => {
      const drawn = parallel(drawing, runs, axes, ranges, (kept) => { fragment.write({ brush: written(ranges) }); changed(kept); });
      if (ranges.size) changed(drawn.kept());
    };
    const boxes = names.map((name) => checkbox(scatter.shortName(name), axes.includes(name), (isOn) => {
      axes = isOn ? [...axes, name] : axes.filter((one) => one !== name);
      if (!isOn) ranges.delete(name);
      fragment.write({ axes: fragment.list.to(axes), brush: written(ranges) });
      draw();
    }));
    host.replaceChildren(drawing, element("details", { class: "rh-details" }, element("summary", {}, "Axes"), element("div", { class: "rh-boxes" }, boxes)));
    draw();
  }

  /** Ranges are written as three names each: the axis, its low and its high place. */
  function written(ranges) {
    return fragment.list.to([...ranges].flatMap(([name, range]) => [name, ...range.map((place) => place.toFixed(2))]));
  }

  function rangesOf(told) {
    const parts = fragment.list.from(told);
    const starts = parts.map((_, index) => index).filter((index) => index % 3 === 0);
    return new Map(starts.map((start) => [parts[start], [Number(parts[start + 1]), Number(parts[start + 2])]]));
  }

  if (host) {
    addEventListener("hashchange", show);
    show();
  }
})();
