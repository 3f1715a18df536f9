/** Every kernel between guard words and on a folded grid, dispatched by a runner other than the device's own. */
import test from 'tape';
import { operations } from '../../lib/ops/index.js';
import { describeCase } from '../support/cases.js';
import { differs } from '../support/close.js';
import { referenceOf, runGuarded } from '../support/guarded.js';
import { webgpu } from '../support/webgpu.js';

for (const operation of operations) {
  if (operation.alias) continue; // it has no kernel
  test(`${operation.name} writes all of its output and nothing beside it`, async (t) => {
    const results = await runGuarded(await webgpu(), operation, operation.cases);
    for (const [c, setting] of operation.cases.entries()) {
      const result = results[c];
      t.deepEqual(result?.broken, [], `guards of ${describeCase(setting)}`);
      for (const [i, expected] of (await referenceOf(operation, setting)).entries()) {
        const got = result?.outputs[i];
        const difference = got ? differs(got, expected, operation.tolerance) : 'no output';
        t.equal(difference, undefined, `output ${i} of ${describeCase(setting)}`);
      }
    }
  });
}
