import { launchJob } from '../../lib/device/webgpu/launch-job.js';
import { apply } from '../../lib/graph/node.js';
import { operations } from '../../lib/ops/index.js';
import { run } from '../../lib/run.js';
import { type Case, caseInputs } from './cases.js';
import { differs } from './close.js';
import { cpu } from './devices.js';
import { targetOf } from './targets.js';
import { webgpu } from './webgpu.js';

/** How the launches that an operation has for hardware differ from its reference, in words, on whatever adapter there is. */
export async function hardwareDifference(name: string, setting: Case): Promise<string | undefined> {
  const operation = operations.find((own) => own.name === name);
  if (!operation) throw new Error(`no operation ${name}`);
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
