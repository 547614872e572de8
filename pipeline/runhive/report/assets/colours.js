// How the runs of one page are told apart: a number, a colour and a dash, for up to 28 of them.
(() => {
  "use strict";

  const COLOURS = 7; // --rh-run-0 and on in compare.css: told apart by those who see no red or no green, too
  const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

  /** The custom property of the run's colour. */
  function colour(number) {
    return `var(--rh-run-${(number - 1) % COLOURS})`;
  }

  function dash(number) {
    return DASHES[(number - 1) % DASHES.length];
  }

  const known = new Map();

  /** The colour as a canvas needs it, asked once while the page stays dark or light; *element* is where it is drawn. */
  function resolved(element, css) {
    if (!known.has(css)) known.set(css, asked(element, css));
    return known.get(css);
  }

  function asked(element, css) {
    const probe = document.createElement("i");
    probe.style.color = css;
    element.append(probe);
    const told = getComputedStyle(probe).color;
    probe.remove();
    return told;
  }

  /** Calls *act* whenever the page turns dark or light or to paper, until what it returns is called. */
  function onScheme(act) {
    const observer = new MutationObserver(act);
    const media = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
    observer.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
    media.forEach((one) => one.addEventListener("change", act));
    return () => {
      observer.disconnect();
      media.forEach((one) => one.removeEventListener("change", act));
    };
  }

  /** The run's number and its line, as a drawing of fixed size. */
  function swatch(number) {
    const { element } = runhive.elements;
    return element(
      "span", { class: "rh-swatch" },
      element(
        "svg:svg", { width: 26, height: 10, "aria-hidden": "true" },
        element("svg:line", {
          x1: 0, x2: 26, y1: 5, y2: 5, style: `stroke:${colour(number)}`, "stroke-width": 2.4,
          "stroke-dasharray": dash(number).join(" "),
        }),
      ),
      element("b", { style: `color:${colour(number)}` }, String(number)),
    );
  }

  onScheme(() => known.clear()); // before any drawing hears of it

  runhive.colours = { colour, dash, resolved, onScheme, swatch };
})();
