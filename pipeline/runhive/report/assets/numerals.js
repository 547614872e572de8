// Numbers and text as the static pages show them: report/numerals.py, score.py and text.py.
(() => {
  "use strict";

  const { asText } = runhive.filter;
  const THIN = "\u202f";
  const MINUS = "−";
  const NOTHING = "—";
  const LARGEST = 1e300;
  const LONGEST = 2000;
  const HIDDEN = /[^\n\t\P{C}]|[\p{Zl}\p{Zp}]/gu;
  const RAISED = { "-": "⁻", ...[..."⁰¹²³⁴⁵⁶⁷⁸⁹"] };
  const SHARES = ["accuracy", "precision", "recall", "f1", "macro_f1", "roc_auc", "top1_agreement"];
  const SHARE_ENDS = ["_accuracy", "_top1_agreement"]; // while it learned, of a variant
  const LOWER_IS_BETTER = ["nll", "loss", "brier", "ece", "error", "mae", "mse", "rmse", "seconds"];
  const LOWER_ENDS = ["_loss", "_error", "_difference", "_milliseconds", "_seconds", "_bytes"];
  const isBound = (metric) => metric.endsWith("_low") || metric.endsWith("_high");
  const lastPart = (metric) => metric.slice(metric.lastIndexOf(".") + 1);

  function percent(share) {
    return Math.abs(share) < LARGEST ? `${fixed(100 * share, 1)}${THIN}%` : NOTHING;
  }

  /** A fixed number of decimals; a tie goes to the even digit, as in Python. */
  function fixed(value, digits) {
    if (Math.abs(value) >= 1e21) return `${BigInt(value)}${digits ? "." : ""}${"0".repeat(digits)}`;
    const exact = value.toFixed(digits + 60);
    const end = exact.indexOf(".") + 1 + digits;
    const kept = exact.slice(0, digits ? end : end - 1);
    return /^50*$/.test(exact.slice(end)) && "02468".includes(kept.at(-1)) ? kept : value.toFixed(digits);
  }

  function signed(value, digits) {
    return Number(digits) ? `${value < 0 ? MINUS : "+"}${digits}` : digits;
  }

  const points = (difference) => signed(difference, fixed(Math.abs(100 * difference), 1));

  function number(value) {
    if (!(Math.abs(value) < LARGEST)) return NOTHING;
    const sign = value < 0 ? MINUS : "";
    const size = Math.abs(value);
    if (Number.isInteger(size) && size < 1e15) return sign + `${size}`.replace(/\B(?=(\d{3})+$)/g, THIN);
    const [mantissa, exponent] = size.toExponential(3).split("e");
    if (exponent < -4 || exponent >= 4) return `${sign}${Number(mantissa)} × 10${raised(exponent)}`;
    return sign + Number(fixed(size, 3 - exponent));
  }

  const raised = (exponent) => `${Number(exponent)}`.replace(/./g, (one) => RAISED[one]);

  function seconds(value) {
    if (!(value >= 0 && value < 1e9)) return NOTHING;
    if (value < 9.95) return `${fixed(value, 1)}${THIN}s`;
    const whole = Number(fixed(value, 0));
    const two = (count) => `${count}`.padStart(2, "0");
    if (whole < 60) return `${whole}${THIN}s`;
    if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${two(whole % 60)}${THIN}s`;
    return `${Math.floor(whole / 3600)}${THIN}h ${two(Math.floor((whole % 3600) / 60))}${THIN}min`;
  }

  function size(count) {
    if (!(count >= 0 && count < LARGEST)) return NOTHING;
    if (count < 1000) return `${count}${THIN}B`;
    const power = Math.min(3, Math.floor(Math.log10(count) / 3));
    const scaled = count / 1000 ** power;
    return `${fixed(scaled, scaled < 100 ? 1 : 0)}${THIN}${"kMG"[power - 1]}B`;
  }

  function isShare(metric) {
    const name = lastPart(metric).replace(/_low$/, "").replace(/_high$/, "");
    return SHARES.includes(name) || SHARE_ENDS.some((end) => name.endsWith(end));
  }

  /** A metric's value in its own way: percent, bytes or four digits. */
  function shown(metric, value) {
    if (metric.endsWith("_bytes") && value >= 0) return size(Math.trunc(value));
    return isShare(metric) ? percent(value) : number(value);
  }

  /** The two ends of an interval, and one unit. */
  const interval = (metric, low, high) => `${shown(metric, low).replace(/\s*%$/, "")}–${shown(metric, high)}`;

  const falls = (metric) =>
    LOWER_IS_BETTER.includes(lastPart(metric)) || LOWER_ENDS.some((end) => lastPart(metric).endsWith(end));
  const isBetter = (metric, value, than) => (falls(metric) ? value < than : value > than);

  /** The name of the metric that stands for a run with these. */
  function mainMetric(all, setName) {
    const names = all.filter((name) => !isBound(name));
    const accuracies = [`${setName}.accuracy`, "val.accuracy", "test.accuracy"].filter((name) => names.includes(name));
    const ofSet = names.filter((name) => name.startsWith(`${setName || "val"}.`));
    return [...accuracies, ...ofSet, ...names][0] ?? null;
  }

  /** An ISO time as UTC to the minute; what is no time stays as it is. */
  function when(time) {
    const moment = new Date(time);
    return Number.isNaN(moment.getTime()) ? clip(time, 40) : moment.toISOString().slice(0, 16).replace("T", " ");
  }

  function clip(text, longest) {
    const whole = String(text);
    if (whole.length <= longest) return whole;
    const characters = [...whole];
    return characters.length <= longest ? whole : `${characters.slice(0, longest - 1).join("")}…`;
  }

  /** Spells out every character that would not show, and clips. */
  function visible(text, longest = LONGEST) {
    return clip(text, longest).replace(HIDDEN, spelt);
  }

  function spelt(character) {
    return `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  }

  runhive.numerals = {
    NOTHING, asText, clip, fixed, falls, interval, isBetter, isBound, isShare, lastPart, mainMetric, number, percent, points,
    seconds, shown, signed, size, visible, when,
  };
})();
