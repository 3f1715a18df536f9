import test from 'tape';
import { type Labelled, placeLabels, textWidth } from '../../bench/label-layout.js';

const SIZE = { width: 1000, height: 600 };

/** Columns of points close together, as elementwise operations are, and points all over the picture. */
const POINTS: readonly Labelled[] = Array.from({ length: 60 }, (_, i) => {
  if (i < 25) return { x: 200 + (i % 3), y: 300 + 2 * i, text: `column${i}` };
  if (i < 45) return { x: 260, y: 320 + i, text: `second${i}` };
  return { x: 400 + 35 * (i - 45), y: 100 + ((i * 37) % 60), text: `scattered${i}` };
});

test('labels cover neither each other nor a point, and stay in the picture', (t) => {
  const boxes = placeLabels(POINTS, SIZE).map(({ x, y, align }, i) => {
    const width = textWidth(POINTS[i]?.text ?? '');
    const left = align === 'left' ? x : x - width;
    return { left, right: left + width, top: y - 6, bottom: y + 6 };
  });
  const points = POINTS.map(({ x, y }) => ({ left: x - 3, right: x + 3, top: y - 3, bottom: y + 3 }));
  const covered = boxes.flatMap((a, i) =>
    [...boxes.slice(i + 1), ...points].filter(
      (b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom,
    ),
  );
  t.deepEqual(covered, []);
  t.ok(boxes.every(({ left, right, top, bottom }) => left >= 0 && right <= 1000 && top >= 0 && bottom <= 600));
  t.end();
});

test('the labels of a column stand in the order of its points', (t) => {
  const heights = placeLabels(POINTS, SIZE)
    .slice(0, 25)
    .map(({ y }) => y);
  t.deepEqual(
    heights,
    [...heights].sort((a, b) => a - b),
  );
  t.end();
});
