import fc from 'fast-check';
import test from 'tape';
import { resizeBilinear, type PictureSize, type PixelLayout } from '../../lib/data/resize.js';
import { DataError, ShapeError } from '../../lib/errors.js';
import { refuses } from '../support/errors.js';

/** A picture that is rough in both directions, the same everywhere. */
function pattern({ width, height, channels }: PixelLayout): Uint8Array {
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const [channel, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return 37 * x + 91 * y + 53 * channel + 7 * x * y; // modulo 256
  });
}

/** The formula of the filter in float64, both axes at once, unrounded: written from the docstring, not from the code. */
function exactly(pixels: Uint8Array, layout: PixelLayout, target: PictureSize): number[] {
  const weight = (size: number, newSize: number, x: number, i: number): number =>
    Math.max(0, 1 - Math.abs(i + 0.5 - ((x + 0.5) * size) / newSize) / Math.max(size / newSize, 1));
  const result: number[] = [];
  for (let y = 0; y < target.height; y++) {
    for (let x = 0; x < target.width; x++) {
      for (let channel = 0; channel < layout.channels; channel++) {
        let [sum, total] = [0, 0];
        for (let j = 0; j < layout.height; j++) {
          for (let i = 0; i < layout.width; i++) {
            const w = weight(layout.width, target.width, x, i) * weight(layout.height, target.height, y, j);
            sum += w * (pixels[(j * layout.width + i) * layout.channels + channel] ?? NaN);
            total += w;
          }
        }
        result.push(sum / total);
      }
    }
  }
  return result;
}

/** `Image.fromarray(pattern, 'RGB').resize((width, height), Image.BILINEAR)` of Pillow 12.3.0. */
const PILLOW: { from: PictureSize; to: PictureSize; expected: number[] }[] = [
  {
    from: { width: 7, height: 5 },
    to: { width: 3, height: 2 },
    expected: [105, 133, 143, 125, 129, 144, 133, 134, 127, 124, 135, 130, 139, 140, 134, 151, 132, 125],
  },
  {
    from: { width: 3, height: 2 },
    to: { width: 7, height: 5 },
    // prettier-ignore
    expected: [
      0, 53, 106, 5, 58, 111, 21, 74, 127, 37, 90, 143, 53, 106, 159, 69, 122, 175, 74, 127, 180,
      9, 62, 115, 14, 67, 120, 30, 83, 136, 47, 100, 153, 63, 116, 158, 79, 132, 163, 84, 137, 165,
      46, 99, 152, 51, 104, 157, 69, 122, 175, 86, 139, 192, 104, 157, 155, 121, 174, 117, 127, 180, 105,
      82, 135, 188, 88, 141, 194, 107, 160, 213, 125, 178, 231, 144, 197, 151, 163, 216, 71, 169, 222, 44,
      91, 144, 197, 97, 150, 203, 116, 169, 222, 135, 188, 241, 154, 207, 150, 173, 226, 59, 179, 232, 29,
    ],
  },
  {
    from: { width: 16, height: 9 },
    to: { width: 4, height: 4 },
    // prettier-ignore
    expected: [
      112, 132, 143, 123, 130, 137, 118, 132, 129, 135, 139, 99, 130, 136, 133, 139, 133, 127, 130, 134, 133, 119, 144, 138,
      120, 140, 119, 136, 134, 121, 132, 124, 117, 144, 133, 128, 131, 111, 146, 125, 122, 128, 130, 112, 142, 135, 113, 157,
    ],
  },
];

for (const { from, to, expected } of PILLOW) {
  test(`resizing ${from.width} x ${from.height} to ${to.width} x ${to.height} gives Pillow's numbers`, (t) => {
    const layout = { ...from, channels: 3 };
    t.deepEqual([...resizeBilinear(pattern(layout), layout, to)], expected);
    t.end();
  });
}

test('a row of four halved: weights 3/7 3/7 1/7 and their mirror image, as a hand computes them', (t) => {
  // Scale 2, so the triangle reaches 2 to each side of the centres 1 and 3; pixels lie at 0.5, 1.5, 2.5, 3.5.
  // Pixel 0: 1 − 0.5/2, 1 − 0.5/2, 1 − 1.5/2 = 3/4, 3/4, 1/4, which make 3/7, 3/7, 1/7 of their sum.
  const halved = resizeBilinear(
    Uint8Array.of(7, 70, 140, 210),
    { width: 4, height: 1, channels: 1 },
    { width: 2, height: 1 },
  );
  t.deepEqual([...halved], [Math.round((3 * 7 + 3 * 70 + 140) / 7), Math.round((70 + 3 * 140 + 3 * 210) / 7)]); // 53, 160
  t.end();
});

test('resizing agrees with the formula in float64 within 1, for any sizes', (t) => {
  let worst = 0;
  const size = fc.integer({ min: 1, max: 24 });
  const picture = fc.tuple(size, size, fc.constantFrom(1, 3, 4)).chain(([width, height, channels]) => {
    const length = width * height * channels;
    return fc.tuple(fc.constant({ width, height, channels }), fc.uint8Array({ minLength: length, maxLength: length }));
  });
  fc.assert(
    fc.property(picture, size, size, ([layout, pixels], width, height) => {
      const exact = exactly(pixels, layout, { width, height });
      const got = resizeBilinear(pixels, layout, { width, height });
      for (const [i, value] of got.entries()) worst = Math.max(worst, Math.abs(value - (exact[i] ?? NaN)));
      return got.length === exact.length && worst <= 1.01; // half a step for each pass, and the 22-bit weights
    }),
    { numRuns: 200 },
  );
  t.ok(worst <= 1.01, `the worst difference is ${worst.toFixed(3)}`);
  t.end();
});

test('a picture of one colour keeps it at every size', (t) => {
  for (const value of [0, 1, 127, 254, 255]) {
    for (const [width, height] of [
      [1, 1],
      [2, 7],
      [13, 11],
      [640, 3],
    ] as const) {
      const pixels = new Uint8Array(width * height * 3).fill(value);
      const got = resizeBilinear(pixels, { width, height, channels: 3 }, { width: 9, height: 5 });
      if (got.length !== 135 || got.some((number) => number !== value)) t.fail(`${value} at ${width} x ${height}`);
    }
  }
  t.pass('20 pictures');
  t.end();
});

test('the same size gives a copy of the picture', (t) => {
  const layout = { width: 5, height: 4, channels: 3 };
  const pixels = pattern(layout);
  const got = resizeBilinear(pixels, layout, { width: 5, height: 4 });
  t.deepEqual(got, pixels);
  t.notEqual(got.buffer, pixels.buffer, 'changing the result does not change the picture');
  t.deepEqual(resizeBilinear(Uint8ClampedArray.from(pixels), layout, { width: 5, height: 4 }), pixels, 'from clamped');
  t.end();
});

test('sizes that are no sizes are refused, and so is a picture that is not as large as it says', (t) => {
  const layout = { width: 2, height: 2, channels: 1 };
  const pixels = new Uint8Array(4);
  t.doesNotThrow(() => resizeBilinear(pixels, layout, { width: 1, height: 1 }), 'the control case is resized');
  for (const size of [0, -1, 1.5, NaN, Infinity]) {
    t.throws(() => resizeBilinear(pixels, layout, { width: size, height: 1 }), ShapeError, `a width of ${size}`);
    t.throws(() => resizeBilinear(pixels, layout, { width: 1, height: size }), ShapeError, `a height of ${size}`);
    t.throws(() => resizeBilinear(pixels, { ...layout, channels: size }, { width: 1, height: 1 }), ShapeError);
  }
  t.throws(() => resizeBilinear(new Uint8Array(5), layout, { width: 1, height: 1 }), ShapeError, 'a byte too many');
  t.end();
});

test('pixels that are no bytes are refused', (t) => {
  const layout = { width: 2, height: 2, channels: 1 };
  for (const pixels of [Float32Array.of(0, 0.5, 1, 1), [0, 1, 2, 3], 'abcd', undefined]) {
    refuses(t, () => resizeBilinear(pixels as never, layout, layout), DataError, 'expected bytes, in a Uint8Array');
  }
  t.deepEqual(resizeBilinear(Uint8ClampedArray.of(1, 2, 3, 4), layout, layout), Uint8Array.of(1, 2, 3, 4));
  t.end();
});
