/** The pictures that are drawn for `npm run logos` and `npm run objects`, and these programs. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { blend, Canvas, coloured } from '../../examples/drawings/canvas.js';
import { handDrawn } from '../../examples/drawings/hand.js';
import { circle, distanceTo, line, polygon, rectangle } from '../../examples/drawings/paths.js';
import { drawLogos } from '../../examples/logos/draw.js';
import { logos } from '../../examples/logos/task.js';
import { drawObjects } from '../../examples/objects/draw.js';
import { objects } from '../../examples/objects/task.js';
import { Random } from '../../examples/pictures/random.js';
import { readExample, runAsked } from '../../examples/program.js';
import { imageFolder, imageSplits } from '../../lib/node/index.js';
import { PNG } from 'pngjs';
import { inFolder, readJson } from './program.js';

const black = [0, 0, 0] as const;

/** The red of a painted picture, a row a list. */
function redOf(canvas: Canvas): number[][] {
  const { data, width } = PNG.sync.read(canvas.png(new Random(1), 0));
  return Array.from({ length: width }, (_, y) =>
    Array.from({ length: width }, (__, x) => data[4 * (y * width + x)] ?? NaN),
  );
}

test('areas have holes and smooth edges, lines are as wide as asked for', (t) => {
  const canvas = new Canvas(8, () => [1, 1, 1]);
  canvas.fill([rectangle(1, 1, 7, 7), rectangle(3, 3, 5, 5)], black);
  const [, second = [], , fourth = []] = redOf(canvas);
  t.deepEqual(second, [255, 0, 0, 0, 0, 0, 0, 255]);
  t.deepEqual(fourth, [255, 0, 0, 255, 255, 0, 0, 255]);
  const pen = new Canvas(8, () => [1, 1, 1]);
  pen.stroke(line([-3, 4], [30, 4]), 2, black, 0.5);
  t.deepEqual(redOf(pen).map(([first]) => first), [255, 255, 255, 128, 128, 255, 255, 255]); // prettier-ignore
  const outside = new Canvas(4, () => [1, 0, 0]);
  outside.fill([polygon([9, 9], [12, 9], [12, 12])], black);
  outside.stroke(circle(20, -9, 3), 2, black);
  t.ok(
    redOf(outside).every((row) => row.every((red) => red === 255)),
    'nothing of what lies beside the picture',
  );
  t.end();
});

test('colours by hue, saturation and lightness are those of CSS', (t) => {
  t.deepEqual(coloured(0, 1, 0.5), [1, 0, 0]);
  t.deepEqual(coloured(1 / 3, 1, 0.5).map((value) => Math.round(100 * value)), [0, 100, 0]); // prettier-ignore
  t.deepEqual(coloured(2 / 3, 1, 0.25).map((value) => Math.round(100 * value)), [0, 0, 50]); // prettier-ignore
  t.deepEqual(coloured(0.2, 0, 0.7).map((value) => Math.round(100 * value)), [70, 70, 70]); // prettier-ignore
  t.deepEqual(blend([0, 0, 1], [1, 0, 0], 0.25), [0.25, 0, 0.75]);
  t.end();
});

test('a line by hand stays near the path, and has gaps now and then', (t) => {
  const path = circle(50, 50, 30);
  const drawn = Array.from({ length: 20 }, (_, seed) => handDrawn(path, new Random(seed), 30));
  const farthest = Math.max(
    ...drawn.flat().flatMap(({ points }) => points.map(([x, y]) => Math.abs(Math.hypot(x - 50, y - 50) - 30))),
  );
  t.ok(farthest > 0.3 && farthest < 3, `${farthest} pixels off`);
  const isGap = drawn.some((parts) => {
    const ends = parts.map(({ points }) => [points[0], points.at(-1)] as const);
    return ends.slice(1).some(([start], i) => {
      const before = ends[i]?.[1];
      return start && before && distanceTo([start, start], before[0], before[1]) > 2;
    });
  });
  t.ok(isGap);
  t.deepEqual(handDrawn(path, new Random(3), 30), drawn[3], 'the same from the same seed');
  t.end();
});

const DRAWN = [
  { name: 'logos', draw: drawLogos, classNames: ['Summit', 'Tidewater'] },
  {
    name: 'objects',
    draw: drawObjects,
    classNames: ['boat', 'car', 'cup', 'fish', 'house', 'key', 'mushroom', 'star', 'tree', 'umbrella'],
  },
];

for (const { name, draw, classNames } of DRAWN) {
  test(`${name}: a folder a class, the same bytes from the same seed, and no picture twice`, async (t) => {
    await inFolder(async (folder) => {
      const [first, second, other] = ['first', 'second', 'other'].map((each) => join(folder, each));
      if (first === undefined || second === undefined || other === undefined) throw new Error('no folders');
      await draw(first, 1, { train: 3, test: 1 });
      await draw(second, 1, { train: 3, test: 1 });
      await draw(second, 1, { train: 3, test: 1 }); // over what is there
      await draw(other, 2, { train: 3, test: 1 });
      const { training, test: judged } = await imageSplits(first, { size: { width: 64, height: 64 } });
      t.deepEqual([training.classNames, judged?.classNames], [classNames, classNames]);
      t.deepEqual([training.labels.length, judged?.labels.length], [3 * classNames.length, classNames.length]);
      const bytesIn = async (place: string): Promise<string[]> => {
        const files = (await readdir(place, { recursive: true })).filter((file) => file.endsWith('.png')).sort();
        return Promise.all(files.map(async (file) => (await readFile(join(place, file))).toString('base64')));
      };
      const own = await bytesIn(first);
      t.deepEqual(await bytesIn(second), own);
      t.equal(new Set([...own, ...(await bytesIn(other))]).size, 8 * classNames.length);
    });
  });
}

test('the programs draw where no pictures are given, train, and say how many of the test are told apart', async (t) => {
  await inFolder(async (folder) => {
    const out = join(folder, 'out');
    const small = { ...logos, draw: (place: string) => drawLogos(place, 0, { train: 5, test: 2 }) };
    const args = ['--out', out, '--epochs', '1', '--input-size', '16', '--device', 'cpu', '--quiet'];
    const asked = readExample(small, args);
    if (!asked) throw new Error('help was not asked for');
    t.deepEqual(
      [asked.options.data, asked.options.test],
      [join(out, 'pictures', 'train'), join(out, 'pictures', 'test')],
    );
    t.equal(await runAsked(small, asked), 0);
    const predictions = await readJson(join(out, 'predictions.json'));
    t.ok(Array.isArray(predictions) && predictions.length === 4, 'a prediction for each picture of the test');
    t.equal((await imageFolder(asked.options.data, { size: { width: 16, height: 16 } })).labels.length, 10);
    const given = readExample(objects, ['--data', 'mine', '--out', out]);
    t.deepEqual([given?.drawn, given?.options.data, given?.options.test], [undefined, 'mine', undefined]);
    t.equal(readExample(objects, [])?.drawn, join('runs', 'objects', 'pictures'));
  });
});
