// Runs as points over any two columns.
(() => {
  "use strict";

  const { element, fill, select } = runhive.elements;
  const { colour } = runhive.colours;
  const { axisOf } = runhive;
  const { visible } = runhive.numerals;
  const MOST_WIDTH = 760;
  const HEIGHT = 300;
  const EDGE = { left: 70, right: 20, top: 14, bottom: 42 };

  /** Fills *host*; *columns* are pairs of name and text, *state* has `x` and `y`, *keep* writes them. */
  function scatter(host, runs, columns, state, keep, isDim) {
    const draw = () => {
      fill(
        host,
        element(
          "div", { class: "rh-controls" },
          select("Across", columns, state.x, (x) => { state.x = x; keep({ x }); draw(); }),
          select("Up", columns, state.y, (y) => { state.y = y; keep({ y }); draw(); }),
        ),
        note(runs, state),
        drawing(runs, state, isDim, Math.min(MOST_WIDTH, host.clientWidth || MOST_WIDTH)),
      );
    };
    draw();
    return { redraw: draw };
  }

  function note(runs, { x, y }) {
    const unranked = [x, y].filter((name) => name.startsWith("metrics.") && !runhive.chosen.rankable(runs, name));
    if (!unranked.length) return runhive.differences.measuredOn(runs, [x, y]);
    const told = "The runs were measured on different images, data or definitions: hollow points are on others than run 1.";
    return element("p", { class: "rh-note" }, told);
  }

  function drawing(runs, { x, y }, isDim, width) {
    const across = axisOf(x, runs.map((run) => run.value(x)));
    const up = axisOf(y, runs.map((run) => run.value(y)));
    const toX = (place) => EDGE.left + place * (width - EDGE.left - EDGE.right);
    const toY = (place) => HEIGHT - EDGE.bottom - place * (HEIGHT - EDGE.top - EDGE.bottom);
    const points = runs.filter((run) => run.value(x) !== null && run.value(y) !== null);
    return element(
      "svg:svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: "rh-plane", role: "group", "aria-label": `${shortName(y)} over ${shortName(x)}` },
      up.ticks.map(([place, text]) => [
        element("svg:line", { class: "rh-grid", x1: EDGE.left, x2: width - EDGE.right, y1: toY(place), y2: toY(place) }),
        element("svg:text", { class: "rh-tick rh-tick--y", x: EDGE.left - 8, y: toY(place) + 4 }, text),
      ]),
      across.ticks.map(([place, text]) => element("svg:text", { class: "rh-tick", x: toX(place), y: HEIGHT - EDGE.bottom + 16 }, text)),
      element("svg:text", { class: "rh-tick rh-tick--title", x: toX(0.5), y: HEIGHT - 6 }, shortName(x) + (across.isLog ? " (log)" : "")),
      element("svg:text", { class: "rh-tick rh-tick--title rh-tick--first", x: 4, y: 10 }, shortName(y) + (up.isLog ? " (log)" : "")),
      points.map((run) => point(run, toX(across.place(run.value(x))), toY(up.place(run.value(y))), runs, {
        isDim: isDim(run), told: `${across.tell(run.value(x))}, ${up.tell(run.value(y))}`, y,
      })),
      points.length ? null : element("svg:text", { class: "rh-tick", x: width / 2, y: HEIGHT / 2 }, "no run has both"),
    );
  }

  function point(run, x, y, runs, { isDim, told, y: name }) {
    const isOther = !runhive.chosen.alike(run, runs[0], name);
    const paint = colour(run.number);
    return element(
      "svg:a", { href: `../runs/${run.id}.html`, opacity: isDim ? 0.2 : 1, "aria-label": `run ${run.number}, ${run.id}: ${told}` },
      element("svg:title", {}, `${run.number}  ${visible(run.label, 60)}: ${told}`),
      element("svg:circle", { cx: x, cy: y, r: 5, style: `fill:${isOther ? "var(--md-default-bg-color)" : paint};stroke:${paint}`, "stroke-width": 1.8 }),
      element("svg:text", { class: "rh-point", x: x + 8, y: y + 4, style: `fill:${paint}` }, String(run.number)),
    );
  }

  function shortName(name) {
    return visible(name.replace(/^(params|metrics)\./, ""), 60);
  }

  runhive.scatter = Object.assign(scatter, { shortName });
})();
