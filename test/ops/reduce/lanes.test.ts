/** The launches that hardware is given, where several lanes share a row or a column: software adapters do without. */
import test from 'tape';
import { launchJob } from '../../../lib/device/webgpu/launch-job.js';
import type { Operation } from '../../../lib/graph/operation.js';
import { operations } from '../../../lib/ops/index.js';
import type { Shape } from '../../../lib/shape.js';
import { type Case, caseInputs, describeCase } from '../../support/cases.js';
import { differs } from '../../support/close.js';
import { cpu } from '../../support/devices.js';
import { webgpu } from '../../support/webgpu.js';
import { targetOf } from '../../support/targets.js';
import { apply } from '../../../lib/graph/node.js';
import { run } from '../../../lib/run.js';

const MATRICES: readonly Shape[] = [
  [1031, 7],
  [260, 1028],
];

function named(name: string): Operation {
  const operation = operations.find((own) => own.name === name);
  if (!operation) throw new Error(`no operation ${name}`);
  return operation;
}

for (const [name, attributesOf] of [
  ['sum', (axis: number) => ({ axes: [axis], scale: 1 })],
  ['max', (axis: number) => ({ axes: [axis], scale: 1 })],
  ['argmax', (axis: number) => ({ axis })],
] as const) {
  test(`${name} by many lanes agrees with the reference`, async (t) => {
    for (const shape of MATRICES) {
      for (const axis of [0, 1]) {
        const setting = { inputs: [{ shape, fill: 'distinct' as const }], attributes: attributesOf(axis) };
        t.equal(await difference(named(name), setting), undefined, describeCase(setting));
      }
    }
  });
}

/** How the launches for hardware differ from the reference, in words. */
async function difference(operation: Operation, setting: Case): Promise<string | undefined> {
  const device = await webgpu();
  const inputs = caseInputs(setting);
  const outputs = operation.infer(inputs, setting.attributes);
  const call = { inputs, outputs, attributes: setting.attributes };
  const places = [...inputs, ...outputs].map((spec) => device.allocate(spec));
  const [from, to] = [places.slice(0, inputs.length), places.slice(inputs.length)];
  await Promise.all(inputs.map(async (input, i) => from[i]?.write(await input.data())));
  const job = await launchJob(device, operation.kernel(call, targetOf(false)), from, to);
  await job.run(1);
  const [got] = await job.outputs();
  job.dispose();
  for (const place of places) place.dispose();
  const [expected] = await run(() => apply(operation, inputs, setting.attributes), { device: cpu });
  const right = await expected?.data();
  return got && right ? differs(got, right, operation.tolerance) : 'no output';
}
