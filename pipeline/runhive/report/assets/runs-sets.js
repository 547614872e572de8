// Which numbers may be compared: those of one metric's definition on one evaluation set of one digest.
(() => {
  "use strict";

  const { bare } = runhive;
  const { falls, isBetter, isShare, visible } = runhive.numerals;
  const UNKNOWN = "an evaluation set that is not recorded";
  const NOT_SCORED = "export."; // sizes and speeds, which no evaluation set has a say in

  /** Says of each value of a metric what it was measured on: `of(key, place)`, whose `id` null is unknown. */
  function evaluationSets(table) {
    const column = (name) => table.column(name);
    const known = new Map(); // of each metric, by place
    const told = new Map(); // of most runs it is the same

    function measuredOn(key, place) {
      const name = bare(key);
      if (name.startsWith(NOT_SCORED)) return { id: "", text: "not measured on an evaluation set" };
      const own = column("evaluation_set")[place];
      const isOwn = typeof own === "string" && own !== "" && name.startsWith(`${own}.`);
      const set = isOwn ? own : name.slice(0, Math.max(0, name.lastIndexOf(".")));
      const digest = `${(isOwn && column("evaluation_digest")[place]) || column("data_digest")[place] || ""}`;
      const version = column("metrics_version")[place] ?? 0;
      const images = isOwn ? column("evaluation_images")[place] : null;
      const isSelected = isOwn && column("selected")[place] === true;
      const isScored = digest === column("evaluation_digest")[place];
      const alike = JSON.stringify([set, digest, version, images, isSelected, isScored]);
      if (!told.has(alike)) told.set(alike, describe({ set, digest, version, images, isSelected, isScored }));
      return told.get(alike);
    }

    return {
      of(key, place) {
        const own = known.get(key) ?? known.set(key, new Array(table.rows).fill(null)).get(key);
        return (own[place] ??= measuredOn(key, place));
      },
    };
  }

  function describe({ set, digest, version, images, isSelected, isScored }) {
    const named = visible(set, 60);
    return {
      isSelected,
      id: digest ? JSON.stringify([set, digest, version]) : null,
      digest: digest && isScored ? digest : null,
      text: digest ? `${set ? `${named}, ` : ""}digest ${visible(digest).slice(0, 12)}` : UNKNOWN,
      detail: [
        set ? `evaluation set ${named}` : "evaluation set not named", images === null ? "" : `${images} images`,
        digest ? `digest ${visible(digest, 80)}` : "digest not recorded", `metrics version ${version}`,
        isSelected ? "the epoch was selected on these images" : "",
      ].filter(Boolean).join(", "),
    };
  }

  /** The places with a value of a metric, by evaluation set, in the order of each one's first; the unknown set last. */
  function bySet(sets, key, values, places) {
    const found = new Map();
    for (const place of places) {
      if (values[place] === null) continue;
      const set = sets.of(key, place);
      if (!found.has(set.id)) found.set(set.id, { set, places: [] });
      found.get(set.id).places.push(place);
    }
    return [...found.values()].sort((one, other) => (one.set.id === null) - (other.set.id === null));
  }

  /** The places of the best values of a metric whose direction is known, on the first set if it has two or more. */
  function best(key, values, [first]) {
    if (!first || first.set.id === null || first.places.length < 2 || !(falls(key) || isShare(key))) return new Set();
    const better = (top, place) => (isBetter(key, values[place], top) ? values[place] : top);
    const value = first.places.reduce(better, values[first.places[0]]);
    return new Set(first.places.filter((place) => values[place] === value));
  }

  runhive.runsSets = { evaluationSets, bySet, best };
})();
