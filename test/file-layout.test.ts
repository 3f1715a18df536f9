import test from 'tape';
import { elementAt } from '../lib/element-at.js';
import { fromFile, shapeInFile, toFile } from '../lib/file-layout.js';
import { sizeOf, stridesOf } from '../lib/shape.js';

const LAYOUTS = {
  'a convolution of PyTorch': { axes: [5, 3, 2, 7], order: [0, 3, 1, 2] },
  'a window of one': { axes: [5, 1, 1, 7], order: [0, 3, 1, 2] },
  'one channel': { axes: [1, 3, 3, 1], order: [0, 3, 1, 2] },
  'a convolution of Keras': { axes: [2, 3, 5, 4], order: [1, 2, 3, 0] },
  'a transposed matrix': { axes: [3, 4], order: [1, 0] },
  'the same order': { axes: [3, 4, 2], order: [0, 1, 2] },
  'a single number': { axes: [1, 1], order: [1, 0] },
  'no axes': { axes: [], order: [] },
  'no numbers': { axes: [3, 0, 2], order: [2, 1, 0] },
};

for (const [name, layout] of Object.entries(LAYOUTS)) {
  test(`numbers go to the place in a file that their coordinates have there, and back: ${name}`, (t) => {
    const { axes, order } = layout;
    for (const data of [
      Float32Array.from({ length: sizeOf(axes) }, (_, i) => i + 0.5),
      Int32Array.from({ length: sizeOf(axes) }, (_, i) => -i),
    ]) {
      const [here, there] = [stridesOf(axes), stridesOf(shapeInFile(axes, layout))];
      const expected = data.slice();
      data.forEach((value, i) => {
        const index = axes.map((size, axis) => Math.floor(i / elementAt(here, axis)) % size);
        expected[order.reduce((sum, axis, at) => sum + elementAt(index, axis) * elementAt(there, at), 0)] = value;
      });
      t.deepEqual(toFile(data, layout), expected);
      t.deepEqual(fromFile(expected, layout), data);
    }
    t.end();
  });
}
