/** The launches that hardware gets, where they are others than those of the software adapter that the tests run on. */
import test from 'tape';
import type { Operation } from '../../lib/graph/operation.js';
import { operations } from '../../lib/ops/index.js';
import { sizeOf } from '../../lib/shape.js';
import { type Case, caseInputs, describeCase } from '../support/cases.js';
import { hardwareDifference } from '../support/hardware-launches.js';
import { targetOf } from '../support/targets.js';

/** Cases whose launches for hardware are their own. */
function ownCases(operation: Operation): Case[] {
  return operation.cases.filter((setting) => {
    const inputs = caseInputs(setting);
    const outputs = operation.infer(inputs, setting.attributes);
    if (outputs.every(({ shape }) => sizeOf(shape) === 0)) return false;
    const texts = [true, false].map((isSoftware) =>
      JSON.stringify(operation.kernel({ inputs, outputs, attributes: setting.attributes }, targetOf(isSoftware))),
    );
    return texts[0] !== texts[1];
  });
}

for (const operation of operations.filter(({ writes, alias }) => !writes && alias !== true)) {
  const cases = ownCases(operation);
  if (cases.length === 0) continue;
  test(`${operation.name} as hardware computes it agrees with the reference`, async (t) => {
    for (const setting of cases) {
      t.equal(await hardwareDifference(operation.name, setting), undefined, describeCase(setting));
    }
  });
}
