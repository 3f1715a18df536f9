/** Transposes through workgroup memory, which hardware is given: whole tiles, ragged ones, axes that are too short for them. */
import test from 'tape';
import { describeCase } from '../../support/cases.js';
import { hardwareDifference } from '../../support/hardware-launches.js';

test('transposes by tiles agree with the reference', async (t) => {
  for (const [shape, permutation] of [
    [
      [65, 33],
      [1, 0],
    ],
    [
      [64, 32],
      [1, 0],
    ],
    [
      [31, 97],
      [1, 0],
    ],
    [
      [3, 33, 40],
      [0, 2, 1],
    ],
    [
      [2, 33, 3, 40],
      [0, 3, 2, 1],
    ],
    [
      [16, 3, 64],
      [2, 0, 1],
    ],
    [
      [15, 32],
      [1, 0],
    ],
    [
      [2, 3, 20, 17, 5],
      [3, 1, 4, 0, 2],
    ],
  ] as const) {
    const setting = { inputs: [{ shape }], attributes: { permutation } };
    t.equal(await hardwareDifference('transpose', setting), undefined, describeCase(setting));
  }
});
