import test from 'tape';
import { DataError, ShapeError } from '../../lib/index.js';
import { decodePng } from '../../lib/node/index.js';
import {
  drawPredictions,
  drawSaliency,
  drawWeights,
  mistakes,
  type Prediction,
  picturesOf,
  saliencyMaps,
} from '../../lib/report/index.js';
import { shortened, textWidth } from '../../lib/report/font.js';
import { dataAddress, enlarged } from '../../lib/report/picture.js';
import { highlighted } from '../../lib/report/saliency.js';
import { weightTiles } from '../../lib/report/weights.js';
import { refuses, rejects } from '../support/errors.js';
import { marksOf, textsOf } from './svg.js';

const picture = { width: 4, height: 3, pixels: Uint8Array.from({ length: 36 }, (_, i) => 7 * i) };
const [BLUE, ORANGE] = ['#0072b2', '#d55e00'];

function prediction(probabilities: number[], label?: string, classNames = ['cat', 'dog']): Prediction {
  return {
    file: `${label ?? 'unknown'}/one.png`,
    picture,
    classNames,
    probabilities,
    ...(label !== undefined && { label }),
  };
}

test('drawPredictions has each picture with the bars of its classes, blue where right and orange where wrong', async (t) => {
  const svg = await drawPredictions([
    prediction([0.75, 0.25], 'cat'),
    prediction([0.9, 0.1], 'dog'),
    prediction([0.5, 0.5]),
  ]);
  t.equal(marksOf(svg, 'image').length, 3);
  const bars = marksOf(svg, 'rect').map((bar) => /fill="([^"]*)"/.exec(bar)?.[1]);
  t.equal(bars.length, 12, 'a bar and what it is of, for each class of each picture');
  t.equal(bars.filter((colour) => colour === BLUE).length, 2, 'the right classes');
  t.equal(bars.filter((colour) => colour === ORANGE).length, 1, 'the wrong one that was predicted');
  const texts = textsOf(svg);
  for (const text of ['✓ cat', '✗ cat', 'it is dog', 'one.png', '75.0\u00a0%', '10.0\u00a0%'])
    t.ok(texts.includes(text), text);
  t.match(svg, /aria-label="cat\/one.png: cat 75.0.%, which is right. dog\/one.png: cat 90.0.%, but it is dog./);
  const widths = marksOf(svg, 'rect').map((bar) => Number(/h([\d.]+)v/.exec(bar)?.[1]));
  t.equal(widths[1], 0.75 * (widths[0] ?? 0), 'a bar is as long as its share');
});

test('drawPredictions shows five of many classes and the right one', async (t) => {
  const names = Array.from({ length: 100 }, (_, i) => `class ${i}`);
  const svg = await drawPredictions([
    prediction(
      names.map((_, i) => i / 4950),
      'class 3',
      names,
    ),
  ]);
  const shown = textsOf(svg).filter((text) => /^class \d+$/.test(text));
  t.deepEqual(shown, ['class 99', 'class 98', 'class 97', 'class 96', 'class 95', 'class 3']);
});

test('drawPredictions escapes names, and shortens long ones to the room that there is', async (t) => {
  const long = 'A combination wrench with an extra long handle of chrome vanadium';
  const names = ['<script>alert(1)</script>', long, 'turned\u202earound'];
  const svg = await drawPredictions([prediction([0.2, 0.5, 0.3], names[0], names)]);
  t.notOk(svg.includes('<script'));
  const texts = textsOf(svg);
  t.ok(texts.includes('it is &lt;script&gt;alert(1)&lt;/script&gt;'));
  t.ok(texts.includes('turned\\u{202e}around'));
  const short = texts.find((text) => text.startsWith('A ')) ?? '';
  t.match(short, /^A comb.*….*nadium$/);
  t.ok(textWidth(short, 11) < 168 - textWidth('50.0\u00a0%', 11));
});

test('a text is as wide as the font has it, and is shortened in the middle', (t) => {
  t.equal(textWidth('', 11), 0);
  // Inter: n is 1196 of 2048 units wide, i 495.
  t.ok(textWidth('m', 10) > 2 * textWidth('i', 10));
  t.ok(Math.abs(textWidth('Hello World', 10) - 55.07) < 0.01);
  t.equal(textWidth('漢字', 10), 20, 'what the font lacks counts as a square');
  t.equal(shortened('HookWrench', 11, 200), 'HookWrench');
  t.equal(shortened('HookWrench', 11, 1), '…');
  t.equal(shortened('👍👍👍👍👍👍', 10, 41), '👍👍…👍', 'characters stay whole');
  t.end();
});

test('mistakes are those of which the model was most sure first', (t) => {
  const all = [
    prediction([0.6, 0.4], 'dog'),
    prediction([0.6, 0.4], 'cat'),
    prediction([0.9, 0.1], 'dog'),
    prediction([0.99, 0.01]),
  ];
  t.deepEqual(mistakes(all), [all[2], all[0]]);
  t.end();
});

test('a prediction must have a probability for each class, and a label among them', async (t) => {
  const bad = (change: object, ...patterns: RegExp[]) =>
    rejects(t, drawPredictions([{ ...prediction([0.5, 0.5], 'cat'), ...change }]), DataError, ...patterns);
  await bad({ probabilities: [1] }, /cat\/one.png has probabilities \[1\]: expected one number for each of 2 classes/);
  await bad({ probabilities: [NaN, 1] }, /\[NaN, 1\]/);
  await bad({ label: 'cow' }, /label "cow"/);
});

test('picturesOf reads both layouts, grey and colour, bytes and numbers, and stretches normalized ones', (t) => {
  const numbers = Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1);
  const pixels = (inputs: Float32Array | Uint8Array, inputShape: number[], scale?: number) =>
    picturesOf({ inputs, inputShape, ...(scale !== undefined && { scale }) }).map((each) => Array.from(each.pixels));
  t.deepEqual(pixels(numbers, [1, 2, 3]), [[0, 51, 102, 153, 204, 255]]);
  t.deepEqual(pixels(numbers, [3, 1, 2]), [[0, 102, 204, 51, 153, 255]]);
  t.deepEqual(pixels(numbers, [1, 1, 1]).length, 6);
  t.deepEqual(pixels(numbers, [2, 1, 1])[1], [102, 102, 102, 153, 153, 153]);
  t.deepEqual(pixels(Uint8Array.of(0, 128, 255), [1, 1, 3], 1 / 255), [[0, 128, 255]]);
  t.deepEqual(pixels(Float32Array.of(-2, 0, 2), [1, 1, 3]), [[0, 128, 255]]);
  refuses(t, () => pixels(numbers, [6]), ShapeError, /\[6\] are no pictures/);
  refuses(t, () => pixels(Float32Array.of(NaN), [1, 1, 1]), DataError, /NaN/);
  t.end();
});

test('a picture in an SVG has the same pixels, larger as squares', (t) => {
  const decoded = decodePng(Buffer.from(dataAddress(picture, 4).split(',')[1] ?? '', 'base64'));
  t.deepEqual([decoded.width, decoded.height], [8, 6]);
  t.deepEqual(decoded.pixels, enlarged(picture, 2).pixels);
  t.deepEqual(Array.from(decoded.pixels.subarray(0, 9)), [0, 7, 14, 0, 7, 14, 21, 28, 35]);
  const small = decodePng(Buffer.from(dataAddress(picture, 1).split(',')[1] ?? '', 'base64'));
  t.deepEqual([small.width, small.height], [2, 2]);
  t.end();
});

test('saliencyMaps has the largest magnitude among the channels of each pixel', (t) => {
  const gradients = Float32Array.of(1, -5, 2, 3, 4, -4);
  t.deepEqual(saliencyMaps(gradients, [1, 2, 3]), [{ width: 2, height: 1, values: Float32Array.of(5, 4) }]);
  t.deepEqual(saliencyMaps(gradients, [3, 1, 2])[0]?.values, Float32Array.of(4, 5));
  t.equal(saliencyMaps(gradients, [1, 1, 1]).length, 6);
  refuses(t, () => saliencyMaps(gradients, [2, 2, 1]), DataError, /6 numbers are no pictures of \[2, 2, 1\]/);
  t.end();
});

test('drawSaliency colours what matters, in a map of another size than the picture, and leaves the rest grey', async (t) => {
  const map = { width: 2, height: 1, values: [0, 3] };
  const { pixels } = highlighted(picture, map);
  const at = (x: number, y: number) => Array.from(pixels.subarray(3 * (4 * y + x), 3 * (4 * y + x) + 3));
  t.deepEqual(at(3, 2), [0xff, 0x6a, 0]);
  const [red, green, blue] = at(0, 1);
  t.ok(red === green && green === blue);
  t.deepEqual(highlighted(picture, { ...map, values: [0, 0] }).pixels.length, 36, 'nothing matters');
  const svg = await drawSaliency([{ ...prediction([0.6, 0.4], 'cat'), picture, saliency: map }]);
  t.equal(marksOf(svg, 'image').length, 1);
  const wrong = { ...prediction([0.6, 0.4], 'cat'), picture, saliency: { ...map, values: [NaN, 1] } };
  await rejects(t, drawSaliency([wrong]), DataError, /expected one finite number for each pixel/);
});

test('drawWeights has a tile for each unit of a Dense and of a Conv2d', async (t) => {
  const dense = { shape: [2, 12], data: Float32Array.from({ length: 24 }, (_, i) => i - 12), inputShape: [3, 2, 2] };
  // The first unit has weights from -12 to -1, the channel of red first.
  t.deepEqual(Array.from(weightTiles(dense)[0]?.pixels.subarray(0, 3) ?? []), [1, 43, 86]);
  const convolution = { shape: [70, 1, 3, 3], data: new Float32Array(630).fill(0.5) };
  t.ok(weightTiles(convolution)[0]?.pixels.every((level) => level === 255));
  t.ok(weightTiles({ shape: [1, 1, 1, 1], data: [0] })[0]?.pixels.every((level) => level === 128));
  const svg = await drawWeights(convolution, { title: 'Weights' });
  t.equal(marksOf(svg, 'image').length, 64);
  t.ok(textsOf(svg).includes('the first 64 of 70 units'));
  await rejects(t, drawWeights({ shape: [2, 12], data: dense.data }), DataError, /shape \[2, 12\]/);
  await rejects(t, drawWeights({ shape: [4, 8, 3, 3], data: [] }), DataError, /shape \[4, 8, 3, 3\]/);
  await rejects(t, drawWeights({ ...convolution, data: [1] }), DataError, /1 numbers/);
});
