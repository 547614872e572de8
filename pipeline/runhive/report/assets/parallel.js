// Parallel coordinates: a line for each run through its values, and a range on every axis that leaves others out.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { colour, dash } = runhive.colours;
  const { axisOf } = runhive;
  const { alike } = runhive.chosen;
  const { visible } = runhive.numerals;
  const HEIGHT = 320;
  const EDGE = { side: 60, top: 40, bottom: 22 };
  const SPACES = [132, 320]; // pixels between two axes, at least and at most
  const SPAN = HEIGHT - EDGE.top - EDGE.bottom;
  const STEP = 0.02;
  const GAP = 12; // pixels between two numbers

  /**
   * Fills *host* with axes for the *names*; *ranges* maps a name to [low, high], places from 0 to 1.
   * Calls *changed* when a range does. A range is dragged over an axis, or moved by arrow keys at its two ends.
   */
  function parallel(host, runs, names, ranges, changed) {
    const gaps = Math.max(1, names.length - 1);
    const space = Math.max(SPACES[0], Math.min(SPACES[1], (host.clientWidth - 2 * EDGE.side) / gaps));
    const axes = names.map((name, index) => axisFor(name, EDGE.side + index * space, runs));
    const width = 2 * EDGE.side + Math.max(0, axes.length - 1) * space;
    const lines = runs.map((run) => line(run, axes));
    const told = element("p", { class: "rh-quiet rh-caption", role: "status" });
    const brushes = axes.map((axis) => brush(axis, ranges, refresh));
    host.replaceChildren(
      told,
      element(
        "div", { class: "rh-scroll", role: "region", "aria-label": "Parallel coordinates", tabindex: "0" },
        element(
          "svg:svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: "rh-plane rh-parallel", role: "group", "aria-label": "Axes and their ranges" },
          lines, axes.map(scale), numbers(runs, axes[0]), brushes.map((one) => one.drawn),
        ),
      ),
      note(runs, axes) ?? "",
    );
    refresh(false);

    function refresh(isNews = true) {
      const kept = runs.filter((run) => within(run, axes, ranges));
      lines.forEach((one, index) => one.setAttribute("opacity", kept.includes(runs[index]) ? 1 : 0.12));
      brushes.forEach((one) => one.show());
      told.textContent = ranges.size
        ? `${kept.length} of ${runs.length} runs lie in the ranges: ${kept.map((run) => run.number).join(", ") || "none"}. Escape on an axis, or a click on it, takes its range away.`
        : "Drag over an axis to keep the runs in that range; or focus the ends of an axis and press the arrow keys.";
      if (isNews) changed(kept);
    }

    return { kept: () => runs.filter((run) => within(run, axes, ranges)) };
  }

  /** An axis; `of(run)` is the run's value on it, null where it may not be compared with that of the first which has one. */
  function axisFor(name, x, runs) {
    const first = runs.find((run) => run.value(name) !== null);
    const of = (run) => (alike(run, first, name) ? run.value(name) : null);
    return { name, x, of, ...axisOf(name, runs.map(of)) };
  }

  /** On what the metrics were measured, and whose lines break because theirs were measured otherwise. */
  function note(runs, axes) {
    const others = runs.filter((run) => axes.some((axis) => run.value(axis.name) !== null && axis.of(run) === null));
    if (!others.length) return runhive.differences.measuredOn(runs, axes.map((axis) => axis.name));
    const told = "Measured on other images, data or definitions than the first";
    return element("p", { class: "rh-note" }, `${told}: ${others.map((run) => run.number).join(", ")}. Lines break at such an axis.`);
  }

  const toY = (place) => EDGE.top + (1 - place) * SPAN;

  /** Does the run lie in every range? One without a value lies in none. */
  function within(run, axes, ranges) {
    return axes.every((axis) => {
      const range = ranges.get(axis.name);
      const place = range ? axis.place(axis.of(run)) : 0;
      return !range || (place !== null && place >= range[0] && place <= range[1]);
    });
  }

  /** The run's line; it is broken where a value is missing. */
  function line(run, axes) {
    let isOn = false;
    const path = axes.map((axis) => {
      const place = axis.place(axis.of(run));
      const step = place === null ? "" : `${isOn ? "L" : "M"}${axis.x} ${toY(place).toFixed(1)}`;
      isOn = place !== null;
      return step;
    });
    const values = axes.map((axis) => (run.value(axis.name) === null ? "–" : axis.tell(run.value(axis.name))));
    return element(
      "svg:path", { class: "rh-line", d: path.join(""), style: `color:${colour(run.number)}`, "stroke-dasharray": dash(run.number).join(" ") },
      element("svg:title", {}, `${run.number}  ${visible(run.label, 60)}: ${values.join(", ")}`),
    );
  }

  /** The runs' numbers at the left, moved apart where they would lie on each other. */
  function numbers(runs, axis) {
    const placed = runs.filter((run) => axis && axis.place(axis.of(run)) !== null)
      .map((run) => ({ run, y: toY(axis.place(axis.of(run))) })).sort((one, other) => one.y - other.y);
    placed.forEach((one, index) => {
      if (index) one.y = Math.max(one.y, placed[index - 1].y + GAP);
    });
    const over = placed.length ? Math.max(0, placed.at(-1).y - toY(0)) : 0;
    return placed.map(({ run, y }) => element(
      "svg:text", { class: "rh-point rh-tick--y", x: axis.x - 22, y: y - over + 4, style: `fill:${colour(run.number)}` }, String(run.number),
    ));
  }

  function scale(axis, index) {
    const name = runhive.scatter.shortName(axis.name);
    return element(
      "svg:g", {},
      element("svg:line", { class: "rh-axis", x1: axis.x, x2: axis.x, y1: toY(0), y2: toY(1) }),
      element(
        "svg:text", { class: "rh-tick rh-tick--title", x: axis.x, y: index % 2 ? 10 : 24 },
        name.length > 26 ? `…${name.slice(-25)}` : name, axis.isLog ? " (log)" : "", element("svg:title", {}, name),
      ),
      axis.ticks.map(([place, text]) => element(
        "svg:text", { class: "rh-tick rh-tick--first rh-tick--halo", x: axis.x + 5, y: toY(place) + 4 }, text.length > 14 ? `${text.slice(0, 13)}…` : text,
      )),
    );
  }

  /** The range of one axis: a bar with two ends that are sliders. */
  function brush(axis, ranges, refresh) {
    const bar = element("svg:rect", { class: "rh-brush", x: axis.x - 8, width: 16 });
    const area = element("svg:rect", { class: "rh-brush__area", x: axis.x - 16, width: 32, y: EDGE.top - 6, height: SPAN + 12 });
    const ends = [0, 1].map((which) => element("svg:rect", {
      class: "rh-brush__end", x: axis.x - 10, width: 20, height: 6, tabindex: 0, role: "slider", "aria-orientation": "vertical",
      "aria-label": `${which ? "highest" : "lowest"} ${runhive.scatter.shortName(axis.name)}`, "aria-valuemin": 0, "aria-valuemax": 100,
      onkeydown: (event) => press(event, which),
      onpointerdown: (event) => start(event, (ranges.get(axis.name) ?? [0, 1])[1 - which]),
    }));
    area.addEventListener("pointerdown", (event) => start(event, placeOf(event)));

    function press(event, which) {
      const step = { ArrowUp: STEP, ArrowDown: -STEP, PageUp: 5 * STEP, PageDown: -5 * STEP }[event.key];
      if (event.key === "Escape") set(null);
      else if (step) {
        const range = [...(ranges.get(axis.name) ?? [0, 1])];
        range[which] = Math.min(1, Math.max(0, range[which] + step));
        if (range[0] <= range[1]) set(range);
      } else return;
      event.preventDefault();
    }

    /** Drags from the place *from*: where the pointer went down, or the other end of the range. */
    function start(event, from) {
      area.setPointerCapture(event.pointerId);
      const move = (later) => {
        const to = placeOf(later);
        if (Math.abs(to - from) > STEP) set([Math.min(from, to), Math.max(from, to)]);
      };
      const stop = (last) => {
        area.removeEventListener("pointermove", move);
        if (Math.abs(placeOf(last) - from) <= STEP) set(null);
      };
      area.addEventListener("pointermove", move);
      area.addEventListener("pointerup", stop, { once: true });
    }

    function placeOf(event) {
      const box = area.getBoundingClientRect();
      const share = (event.clientY - box.top) / box.height;
      return Math.min(1, Math.max(0, 1 - (share * (SPAN + 12) - 6) / SPAN));
    }

    function set(range) {
      if (range && (range[0] > 0 || range[1] < 1)) ranges.set(axis.name, range);
      else ranges.delete(axis.name);
      refresh();
    }

    function show() {
      const [low, high] = ranges.get(axis.name) ?? [0, 1];
      bar.setAttribute("visibility", ranges.has(axis.name) ? "visible" : "hidden");
      bar.setAttribute("y", toY(high));
      bar.setAttribute("height", toY(low) - toY(high));
      [low, high].forEach((place, which) => {
        ends[which].setAttribute("y", toY(place) - (which ? 6 : 0));
        ends[which].setAttribute("aria-valuenow", Math.round(100 * place));
        ends[which].setAttribute("aria-valuetext", axis.isNumeric ? axis.tell(axis.value(place)) : `${Math.round(100 * place)} %`);
      });
    }

    return { show, drawn: element("svg:g", {}, bar, area, ends) };
  }

  runhive.parallel = parallel;
})();
