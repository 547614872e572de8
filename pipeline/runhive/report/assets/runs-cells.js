// One cell of the run table: what it shows, and what it says on hover.
(() => {
  "use strict";

  const { element, quiet } = runhive.elements;
  const { asText } = runhive.filter;
  const { bare } = runhive;
  const { NOTHING, fixed, interval, isShare, number, points, seconds, shown, visible, when } = runhive.numerals;
  const TIMES = ["started_at", "ended_at"];
  const DIGESTS = ["commit", "evaluation_digest", "data_digest", "record_md5"];
  const SPEEDS = /_milliseconds$|^images_per_second$/;
  const LONGEST = 60;

  /** A value as the table shows it, for columns other than metrics. */
  function text(key, value) {
    if (value === null || value === "" || (Array.isArray(value) && !value.length)) return "";
    if (TIMES.includes(key)) return when(value);
    if (DIGESTS.includes(key)) return visible(value, 2000).slice(0, key === "commit" ? 7 : 12);
    if (key === "seconds") return seconds(value);
    if (key === "change") return points(value);
    if (key === "tags" && Array.isArray(value)) return visible(value.join(" "), LONGEST);
    if (SPEEDS.test(key) && typeof value === "number") return number(value);
    return visible(asText(value), LONGEST);
  }

  const metricText = (key, value) => (Math.abs(value) < 1e300 ? shown(bare(key), value) : NOTHING);

  function intervalOf(table, key, place) {
    const [low, high] = ["_low", "_high"].map((end) => table.column(key + end)[place]);
    return typeof low === "number" && typeof high === "number" ? interval(bare(key), low, high) : null;
  }

  function runCell(model, column, place, best) {
    const value = model.table.column(column.key)[place];
    if (column.isMetric) return metricCell(model, column, place, value, best);
    if (column.key === "state") return element("td", {}, stateIcon(value, true));
    const told = text(column.key, value);
    if (told === "") return element("td", { class: column.isNumber ? "rh-number" : null }, quiet("–"));
    const exact = visible(asText(value));
    const attributes = { class: column.isNumber ? "rh-number" : null, title: exact === told ? null : exact };
    if (column.key !== "change") return element("td", attributes, told);
    const tone = model.table.column("verdict")[place] ?? "same";
    return element("td", attributes, element("span", { class: `rh-change rh-tone--${tone}` }, told));
  }

  function metricCell(model, column, place, value, best) {
    if (value === null) return element("td", { class: "rh-number" }, quiet("–"));
    const { key } = column;
    const set = model.sets.of(key, place);
    const isBest = best.get(key)?.has(place) ?? false;
    const range = intervalOf(model.table, key, place);
    const said = [
      `${bare(key)} ${asText(value)}`, range && `95 % interval ${range}`, set.detail ?? set.text,
      isBest && "the best in view on this evaluation set",
    ].filter(Boolean).join("; ");
    return element("td", { class: `rh-number rt-metric${isBest ? " rt-best" : ""}`, title: said },
      isBest ? element("span", { class: "rt-star", "aria-hidden": "true" }, "★") : null,
      isBest ? element("span", { class: "rt-hidden" }, "best ") : null,
      element("b", {}, metricText(key, value)),
      set.isSelected ? element("span", { class: "rt-flag" }, "*") : null,
      range ? element("span", { class: "rh-interval" }, ` ${range}`) : null);
  }

  /** A group's cell, of what `found` says about its runs, *size* in number. */
  function groupCell(model, column, found, size) {
    const { key } = column;
    const attributes = { class: column.isNumber ? "rh-number" : null };
    if (found.kind === "none") return element("td", attributes, quiet("–"));
    if (found.kind === "several") {
      const listed = [...new Set(found.values.map((value) => visible(asText(value), LONGEST)))].slice(0, 20).join(", ");
      return element("td", { ...attributes, title: listed }, quiet(`${found.count} values`));
    }
    if (found.kind === "mixed") return mixedCell(found);
    if (found.kind === "value") {
      const value = model.table.column(key)[found.place];
      return element("td", attributes, key === "state" ? stateIcon(value, true) : text(key, value) || quiet("–"));
    }
    return meanCell(model, column, found, size);
  }

  function mixedCell({ count, runs }) {
    const [told, why] = count > 1
      ? [`${count} evaluation sets`, `not averaged: its ${runs} runs were scored on ${count} evaluation sets`]
      : ["set not recorded", "not averaged: on which evaluation set its runs were scored is not recorded"];
    return element("td", { class: "rh-number rt-mixed", title: why }, told);
  }

  function meanCell(model, column, found, size) {
    const say = (value) => (column.isMetric ? metricText(column.key, value) : text(column.key, value));
    const set = column.isMetric ? model.sets.of(column.key, found.place) : null;
    const said = [
      `mean of ${found.count} run${found.count === 1 ? "" : "s"}: ${asText(found.mean)}`,
      found.deviation === null ? null : `standard deviation ${asText(found.deviation)}`,
      column.isMetric ? `best ${asText(found.best)}` : null,
      set && (set.detail ?? set.text),
    ].filter(Boolean).join("; ");
    const spread = found.deviation === null ? "" : ` ± ${deviation(column, found.deviation)}`;
    const best = column.isMetric && found.count > 1 ? ` best ${say(found.best)}` : "";
    const few = found.count < size ? ` of ${found.count}` : "";
    return element("td", { class: "rh-number rt-metric", title: said },
      element("b", {}, say(found.mean)), spread, element("span", { class: "rh-interval" }, best + few));
  }

  /** A spread in the unit of its mean, without its sign. */
  function deviation(column, value) {
    if (column.key === "change" || isShare(bare(column.key))) return fixed(100 * value, 1);
    return column.key === "seconds" ? seconds(value) : metricText(column.key, value);
  }

  /** A state's sign from the page's own drawings. */
  function stateIcon(state, withWord) {
    const icons = document.getElementById("rt-icons").content;
    const known = ["running", "completed", "failed", "canceled", "lost"].includes(state) ? state : "unknown";
    const icon = icons.querySelector(`.rh-state--${known}`).cloneNode(true);
    if (withWord) return icon;
    icon.lastChild.remove();
    icon.append(element("span", { class: "rt-hidden" }, known));
    icon.title = known;
    return icon;
  }

  /** The hue that stands for a run wherever it is drawn. */
  function hue(runId) {
    let hash = 0;
    for (const character of runId) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
    return (hash * 137.508) % 360;
  }

  runhive.hue = hue;
  runhive.runsCells = { text, metricText, runCell, groupCell, stateIcon };
})();
