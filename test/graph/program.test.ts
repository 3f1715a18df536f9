import test from 'tape';
import { buildProgram, structureOf } from '../../lib/graph/program.js';
import { record, type Trace } from '../../lib/graph/trace.js';
import { add, relu, reshape, type Tensor, tensor, Variable } from '../../lib/index.js';
import { Plan } from '../../lib/plan.js';
import { cpu } from '../support/devices.js';

interface Recorded {
  readonly outputs: readonly Tensor[];
  readonly trace: Trace | undefined;
}

/** Graphs of so many nodes. */
const GRAPHS: Readonly<Record<string, (nodes: number) => Recorded>> = {
  'a chain of additions': (nodes) => {
    let value = tensor([1, 2, 3]);
    for (let i = 0; i < nodes; i++) value = add(value, 1);
    return { outputs: [value], trace: undefined };
  },
  'a chain of reshapes': (nodes) => {
    let value = relu(tensor([1, 2, 3, 4]));
    for (let i = 1; i < nodes; i++) value = reshape(value, i % 2 === 0 ? [4] : [2, 2]);
    return { outputs: [value], trace: undefined };
  },
  'results side by side': (nodes) => {
    const outputs = Array.from({ length: nodes }, (_, i) => relu(tensor([i])));
    return { outputs, trace: undefined };
  },
  'updates of one variable': (nodes) => {
    const variable = new Variable('counter', Float32Array.of(0));
    const { trace, result } = record(() => {
      for (let i = 0; i < nodes / 2; i++) variable.assign(add(variable, 1));
      return variable.value;
    });
    return { outputs: [result], trace };
  },
};

/** Linear work on so many nodes is done in a second or two; quadratic work would outlast the patience of the tests. */
const NODES = 60_000;

for (const [name, graphOf] of Object.entries(GRAPHS)) {
  test(`${name}: ${NODES} nodes are a program`, (t) => {
    const { outputs, trace } = graphOf(NODES);
    const { steps } = buildProgram(outputs, [], trace);
    t.equal(steps.length, name === 'a chain of reshapes' ? 1 : NODES);
    t.ok(structureOf(outputs, trace).key.length > NODES);
    t.end();
  });
}

test('a plan of two thousand operations is made at once, and computes', async (t) => {
  const { outputs } = GRAPHS['a chain of additions']?.(2000) ?? { outputs: [] };
  const plan = await Plan.prepare(cpu, outputs, [], undefined, false).load();
  t.deepEqual(await (await plan.run([], undefined))[0]?.data(), Float32Array.of(2001, 2002, 2003));
  plan.dispose();
});
