// An image to the model's input as Python prepares it: Pillow's antialiased bilinear resize and a centre crop.
//
// The arithmetic is that of Pillow's Resample.c for 8 bits a channel: weights as integers of 22 bits, one pass across and one
// down, rounded after each. Pillow is the reference: tests/report/test_report_resize.py compares level by level.
(() => {
  "use strict";

  const PRECISION = 22;
  const HALF = 1 << (PRECISION - 1);

  /** Width and height once the shorter side is `side`, as runhive.preprocess.resized_size. */
  function resizedSize(width, height, side) {
    const long = Math.trunc((side * Math.max(width, height)) / Math.min(width, height));
    return width <= height ? [side, long] : [long, side];
  }

  /** For each of `to` places: the first of the `from` places that count, and their weights. */
  function weights(from, to) {
    const scale = from / to;
    const wide = Math.max(scale, 1);
    const found = [];
    for (let place = 0; place < to; place++) {
      const centre = (place + 0.5) * scale;
      const first = Math.max(0, Math.trunc(centre - wide + 0.5));
      const end = Math.min(from, Math.trunc(centre + wide + 0.5));
      const exact = [];
      let sum = 0;
      for (let index = first; index < end; index++) {
        const weight = Math.max(0, 1 - Math.abs((index - centre + 0.5) * (1 / wide)));
        exact.push(weight);
        sum += weight;
      }
      found.push({ first, of: exact.map((weight) => Math.trunc(0.5 + (sum ? weight / sum : weight) * (1 << PRECISION))) });
    }
    return found;
  }

  /** One pass over `lines` lines: `step` lies between neighbours of a line, `next` between lines, before and after. */
  function pass(source, target, lines, found, before, after) {
    for (let line = 0; line < lines; line++) {
      for (let place = 0; place < found.length; place++) {
        const { first, of } = found[place];
        const to = line * after.next + place * after.step;
        for (let channel = 0; channel < 3; channel++) {
          let sum = HALF;
          let from = line * before.next + first * before.step + channel;
          for (let index = 0; index < of.length; index++, from += before.step) sum += source[from] * of[index];
          target[to + channel] = Math.max(0, Math.min(255, sum >> PRECISION));
        }
      }
    }
  }

  function across(pixels, width, height, toWidth) {
    if (toWidth === width) return pixels;
    const target = new Uint8Array(toWidth * height * 3);
    pass(pixels, target, height, weights(width, toWidth), { step: 3, next: 3 * width }, { step: 3, next: 3 * toWidth });
    return target;
  }

  function down(pixels, width, height, toHeight) {
    if (toHeight === height) return pixels;
    const target = new Uint8Array(width * toHeight * 3);
    pass(pixels, target, width, weights(height, toHeight), { step: 3 * width, next: 3 }, { step: 3 * width, next: 3 });
    return target;
  }

  /** RGB pixels (height × width × 3) resized; which way comes first decides the rounding, and is as in Pillow 13. */
  function resize(pixels, width, height, toWidth, toHeight) {
    const lost = height - toHeight;
    if (lost > 0 && lost > 2 * (width - toWidth)) {
      return across(down(pixels, width, height, toHeight), width, toHeight, toWidth);
    }
    return down(across(pixels, width, height, toWidth), toWidth, height, toHeight);
  }

  /** Python's round(): halves go to the even neighbour. */
  function rounded(value) {
    const low = Math.floor(value);
    return value - low === 0.5 ? low + (((low % 2) + 2) % 2) : Math.round(value);
  }

  /** RGB pixels to (3, size, size): shorter side to `side`, the middle cut out, black where there is nothing. */
  function toInput(pixels, width, height, side, size) {
    const [toWidth, toHeight] = resizedSize(width, height, side);
    const resized = resize(pixels, width, height, toWidth, toHeight);
    const left = rounded((toWidth - size) / 2);
    const top = rounded((toHeight - size) / 2);
    const input = new Uint8Array(3 * size * size);
    for (let y = Math.max(0, -top); y < Math.min(size, toHeight - top); y++) {
      for (let x = Math.max(0, -left); x < Math.min(size, toWidth - left); x++) {
        const from = ((y + top) * toWidth + x + left) * 3;
        for (let channel = 0; channel < 3; channel++) {
          input[(channel * size + y) * size + x] = resized[from + channel];
        }
      }
    }
    return input;
  }

  window.runhive.toInput = toInput;
})();
