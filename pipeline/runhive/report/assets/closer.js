// The curves of a run, and of its baseline beside them, to zoom and to smooth: loaded on a click.
(() => {
  "use strict";

  const SCRIPTS = [
    "vendor/uplot/uPlot.iife.min.js", "filter.js", "numerals.js", "elements.js", "colours.js", "line-chart.js", "curves.js",
  ];
  const STYLES = "vendor/uplot/uPlot.min.css";

  /** One after the other: each uses what those before it set. */
  async function loadCharts() {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = `../assets/${STYLES}`;
    document.head.append(style);
    for (const script of SCRIPTS) await runhive.load(`../assets/${script}`);
  }

  async function runOf(id, path, number, label) {
    await runhive.load(path);
    const detail = runhive.shards(id)[0];
    const curves = detail.curves.map(([name, axis, axes, values]) => {
      const [at, seconds] = detail.axes[axes];
      return { name, axis, at, seconds, values };
    });
    return { id, number, label, curves, value: () => null };
  }

  /** The run, and of its baseline the curves that the run has, too. */
  async function runsOf({ run, shard, baseline, baselineShard }) {
    const own = await runOf(run, shard, 1, "this run");
    if (!baseline) return [own];
    const before = await runOf(baseline, baselineShard, 2, "baseline");
    const names = new Set(own.curves.map((curve) => `${curve.axis} ${curve.name}`));
    const shared = before.curves.filter((curve) => names.has(`${curve.axis} ${curve.name}`));
    return shared.length ? [own, { ...before, curves: shared }] : [own];
  }

  async function open(place, told) {
    told.textContent = "Loading …";
    try {
      await loadCharts();
      const runs = await runsOf(place.dataset);
      runhive.curves(place.lastElementChild, runs, { axis: "own", smooth: 0, log: false }, () => {}, () => false);
      const { element } = runhive.elements;
      const legend = runs.map((run) => element("span", {}, runhive.colours.swatch(run.number), ` ${run.label}`));
      place.firstElementChild.className = "rh-closer__legend";
      place.firstElementChild.replaceChildren(...legend);
      place.lastElementChild.querySelector("select").focus();
    } catch (error) {
      told.textContent = `The curves cannot be shown: ${error.message}`;
    }
  }

  const place = document.querySelector("[data-closer]");
  if (!place) return;
  place.hidden = false;
  place.querySelector("button").addEventListener("click", () => open(place, place.querySelector("[role=status]")));
})();
