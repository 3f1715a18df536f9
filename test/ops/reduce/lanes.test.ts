/** The launches that hardware is given, where several lanes share a row or a column: software adapters do without. */
import test from 'tape';
import type { Shape } from '../../../lib/shape.js';
import { describeCase } from '../../support/cases.js';
import { hardwareDifference } from '../../support/hardware-launches.js';

const MATRICES: readonly Shape[] = [
  [1031, 7],
  [260, 1028],
];

for (const [name, attributesOf] of [
  ['sum', (axis: number) => ({ axes: [axis], scale: 1 })],
  ['max', (axis: number) => ({ axes: [axis], scale: 1 })],
  ['argmax', (axis: number) => ({ axis })],
  ['softmax', (axis: number) => ({ axis })],
] as const) {
  test(`${name} by many lanes agrees with the reference`, async (t) => {
    for (const shape of MATRICES) {
      for (const axis of [0, 1]) {
        const setting = {
          inputs: [{ shape, fill: name === 'softmax' ? ('normal' as const) : ('distinct' as const) }],
          attributes: attributesOf(axis),
        };
        t.equal(await hardwareDifference(name, setting), undefined, describeCase(setting));
      }
    }
  });
}
