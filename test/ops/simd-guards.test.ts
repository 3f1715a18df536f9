/** Every SIMD kernel between guard words, its tasks in the opposite order, called by a runner other than the device's own. */
import test from 'tape';
import { operations } from '../../lib/ops/index.js';
import { caseInputs, describeCase } from '../support/cases.js';
import { differs } from '../support/close.js';
import { referenceOf } from '../support/guarded.js';
import { runSimdGuarded } from '../support/simd-guarded.js';

for (const operation of operations) {
  if (!operation.simd) continue;
  test(`${operation.name} on SIMD writes all of its output and nothing beside it`, async (t) => {
    for (const setting of operation.cases) {
      const inputs = caseInputs(setting);
      const call = { inputs, outputs: operation.infer(inputs, setting.attributes), attributes: setting.attributes };
      const ran = runSimdGuarded(operation, call, await Promise.all(inputs.map((input) => input.data())));
      if (!ran) continue; // for these sizes the operation says that the reference runs
      t.deepEqual(ran.broken, [], `guards of ${describeCase(setting)}`);
      for (const [i, expected] of (await referenceOf(operation, setting)).entries()) {
        const got = ran.results[i];
        const difference = got ? differs(got, expected, operation.tolerance) : 'no output';
        t.equal(difference, undefined, `output ${i} of ${describeCase(setting)}`);
      }
    }
  });
}
