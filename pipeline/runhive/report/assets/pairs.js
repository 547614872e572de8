// Two runs on the same images: who won and lost what, and whether that means anything.
(() => {
  "use strict";

  const Z_95 = 1.959963984540054; // as in metrics.py

  /** The bits of a run's shard, one a sample: 1 where it was answered right. */
  function unpack(base64, samples) {
    const bytes = atob(base64);
    return Uint8Array.from({ length: samples }, (_, index) => (bytes.charCodeAt(index >> 3) >> (7 - (index & 7))) & 1);
  }

  /** The places of the samples that *after* won over *before*, and of those that it lost. */
  function flips(before, after) {
    const won = [];
    const lost = [];
    for (let place = 0; place < before.length; place += 1) {
      if (before[place] !== after[place]) (after[place] ? won : lost).push(place);
    }
    return { won, lost };
  }

  /** Two-sided exact p of McNemar's test, in whole numbers of any length, so that it is Python's to the last digit. */
  function mcnemar(won, lost) {
    const n = BigInt(won + lost);
    let ways = 1n;
    let tail = 1n;
    for (let k = 0n; k < BigInt(Math.min(won, lost)); k += 1n) {
      ways = (ways * (n - k)) / (k + 1n);
      tail += ways;
    }
    return Math.min(1, ratio(2n * tail, won + lost));
  }

  /** The whole number *value* by two to the power of *exponent*. */
  function ratio(value, exponent) {
    const spare = Math.max(0, value.toString(16).length * 4 - 64);
    const scaled = Number(value >> BigInt(spare));
    const half = Math.floor((spare - exponent) / 2); // in two steps: 2 ** -1100 alone is 0
    return scaled * 2 ** half * 2 ** (spare - exponent - half);
  }

  /** The 95 % interval of the difference of two paired shares (Agresti and Min 2005: Wald's, with half a flip added). */
  function interval(won, lost, samples) {
    const n = samples + 2;
    const difference = (won - lost) / n;
    const margin = (Z_95 / n) * Math.sqrt(won + lost + 1 - (won - lost) ** 2 / n);
    return [Math.max(-1, difference - margin), Math.min(1, difference + margin)];
  }

  /**
   * Compares *after* with *before*, runs with `digest` and `version` of their evaluation and `answers` of their shard.
   * Says the `reason` where the two may not be compared.
   */
  function compare(before, after) {
    const refusal = refuse(before, after);
    if (refusal) return { comparable: false, reason: refusal };
    const { won, lost } = flips(before.answers.right, after.answers.right);
    const samples = before.answers.right.length;
    const [low, high] = interval(won.length, lost.length, samples);
    const change = (won.length - lost.length) / samples;
    return { comparable: true, won, lost, samples, change, low, high, p: mcnemar(won.length, lost.length) };
  }

  function refuse(before, after) {
    if (!after.answers) return "the ledger lacks its predictions";
    if (typeof after.digest !== "string" || before.digest !== after.digest) return "scored on other images";
    if (before.version !== after.version) return "measured by another definition of the metrics";
    if (!before.answers) return "the ledger lacks the other's predictions";
    if (before.answers.samples !== after.answers.samples) return "the predictions are of different samples";
    return null;
  }

  runhive.pairs = { unpack, flips, mcnemar, interval, compare };
})();
