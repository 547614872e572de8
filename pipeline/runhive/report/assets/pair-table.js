// Every run against one of them, image by image, and the images whose answer changed.
(() => {
  "use strict";

  const { element, fill, select, table } = runhive.elements;
  const { swatch } = runhive.colours;
  const { compare } = runhive.pairs;
  const { number, visible, NOTHING } = runhive.numerals;
  const { shownChange, pValue } = runhive.changes;
  const SIGNIFICANT = 0.05;
  const MOST_PICTURES = 48;

  /** Fills *host*; *state* has the ids `against` and `flips`, which *keep* writes. */
  function pairTable(host, runs, state, keep) {
    const reference = runs.find((run) => run.id === state.against) ?? runs[0];
    const others = runs.filter((run) => run !== reference);
    const found = others.map((run) => [run, compare(reference, run)]);
    const tested = found.filter(([, one]) => one.comparable).length;
    const again = (changes) => { Object.assign(state, changes); keep(changes); pairTable(host, runs, state, keep); };
    const pictures = element("div", { class: "rh-flips" });
    host.replaceChildren(
      element("div", { class: "rh-controls" }, select("Against", runs.map((run) => [run.id, `${run.number}  ${visible(run.label, 60)}`]), reference.id, (against) => again({ against }))),
      table("Runs against one of them", ["Run", right("Images won"), right("Lost"), right("Change"), right("95 % interval"), "McNemar", ""],
        found.map(([run, one]) => rowOf(run, one, reference, state, again))),
      element("p", { class: "rh-quiet rh-caption" }, footnote(tested, reference)),
      pictures,
    );
    const shownPair = found.find(([run, one]) => run.id === state.flips && one.comparable);
    if (shownPair) showFlips(pictures, reference, ...shownPair);
  }

  function footnote(tested, reference) {
    const basis = runhive.differences.basisOf(reference, "metrics.");
    const many = tested > 1 ? ` p is of each pair alone: of ${tested} pairs, trust one below ${Number((SIGNIFICANT / tested).toPrecision(2))}.` : "";
    return `Change is in percentage points of right answers on the same images (${basis}), with the interval of Agresti and Min; McNemar's test is exact.${many}`;
  }

  const right = (of) => ({ of, css: "rh-number" });

  function rowOf(run, one, reference, state, again) {
    const name = [swatch(run.number), " ", element("a", { class: "rh-id", href: `../runs/${run.id}.html` }, visible(run.label, 60))];
    if (!one.comparable) {
      return [name, { of: `not comparable with ${reference.number}: ${one.reason}`, css: "rh-quiet", span: 6 }];
    }
    const isClear = one.p < SIGNIFICANT && one.change !== 0;
    const tone = !isClear ? "same" : one.change > 0 ? "better" : "worse";
    const isOpen = state.flips === run.id;
    return [
      name, right(number(one.won.length)), right(number(one.lost.length)),
      right(element("span", { class: `rh-change rh-tone--${tone}` }, `${shownChange("accuracy", one.change)} points`)),
      right(`${shownChange("accuracy", one.low)} to ${shownChange("accuracy", one.high)}`),
      element("span", { title: `p = ${one.p}` }, `${pValue(one.p)}${isClear ? `, ${tone}` : ""}`),
      one.won.length + one.lost.length
        ? element("button", { class: "rh-button", "aria-label": `images of run ${run.number}`, "aria-expanded": String(isOpen), onclick: () => again({ flips: isOpen ? null : run.id }) }, "images")
        : NOTHING,
    ];
  }

  async function showFlips(host, before, after, found) {
    const digest = after.answers.samples;
    await runhive.load(`../${runhive.shards("samples")[0][digest]}`);
    const samples = runhive.shards(`samples-${digest}`)[0];
    const pictures = new Map(samples.pictures);
    const told = (title, places) => [
      element("h4", { class: "rh-h3" }, `${title}: ${number(places.length)}`),
      element("ul", { class: "rh-gallery" }, places.slice(0, MOST_PICTURES).map((place) => flip(place, samples, pictures.get(place), before, after))),
      places.length > MOST_PICTURES ? element("p", { class: "rh-quiet rh-caption" }, `The first ${MOST_PICTURES}; all are in the runs' predictions.csv.`) : null,
    ];
    const byPath = (places) => [...places].sort((one, other) => (samples.paths[one] < samples.paths[other] ? -1 : 1));
    fill(
      host,
      element("p", { class: "rh-quiet rh-caption" }, `The answer of ${before.number} → that of ${after.number}; the actual class is bold.`),
      told(`Won by ${after.number}`, byPath(found.won)), told(`Lost by ${after.number}`, byPath(found.lost)),
    );
  }

  function flip(place, samples, sha256, before, after) {
    const [label, path] = [samples.labels[place], visible(samples.paths[place], 300)];
    const answers = [before, after].map((run) => answerOf(run, place) ?? label);
    const named = (name) => (name === label ? element("b", {}, visible(name, 40)) : visible(name, 40));
    const alt = `${visible(label, 60)}, answered ${answers.map((one) => visible(one, 60)).join(", then ")}`;
    return element(
      "li", {},
      sha256 ? element("img", { src: `../media/${sha256.slice(0, 2)}/${sha256}.jpg`, alt, loading: "lazy", decoding: "async" }) : element("div", { class: "rh-gallery__none" }, "no thumbnail"),
      element("p", {}, named(answers[0]), " → ", named(answers[1])),
      element("p", { class: "rh-gallery__path", title: path }, path),
    );
  }

  /** What a run answered to a sample that it got wrong; null where it was right. */
  function answerOf(run, place) {
    const { right, wrong, named } = run.answers;
    if (right[place]) return null;
    let before = 0;
    for (let index = 0; index < place; index += 1) before += 1 - right[index];
    return named[wrong[before]];
  }

  runhive.pairTable = Object.assign(pairTable, { answerOf });
})();
