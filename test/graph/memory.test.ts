import fc from 'fast-check';
import test from 'tape';
import { storageOf } from '../../lib/graph/node.js';
import { nodesBefore } from '../../lib/graph/nodes.js';
import { buildProgram, type Program } from '../../lib/graph/program.js';
import { add, broadcastTo, concat, exp, relu, reshape, run, sum, type Tensor, tensor } from '../../lib/index.js';
import { sizeOf } from '../../lib/shape.js';
import { cpu } from '../support/devices.js';
import { evaluateNaively, placeName, programOf, type RandomGraph, randomGraphs } from '../support/graphs.js';

const slotsOf = (outputs: readonly Tensor[]) =>
  buildProgram(outputs, [], undefined).slots.map(({ elements }) => elements);

test('a chain of any length takes two buffers', (t) => {
  for (const length of [2, 3, 10, 50]) {
    let value: Tensor = tensor([1, 2, 3]);
    for (let i = 0; i < length; i++) value = relu(value);
    t.deepEqual(slotsOf([value]), [3, 3], `${length} operations`);
  }
  t.deepEqual(slotsOf([relu(tensor([1, 2, 3]))]), [3]);
  t.end();
});

test('an alias takes no buffer and keeps that of its source', (t) => {
  const x = relu(tensor([1, 2, 3, 4]));
  const kept = reshape(x, [2, 2]);
  let chain = relu(x);
  for (let i = 0; i < 5; i++) chain = relu(chain);
  t.deepEqual(slotsOf([sum(add(reshape(chain, [2, 2]), kept))]), [4, 4, 4], 'x lives until its alias is read');
  t.end();
});

test('a buffer is as large as the largest tensor in it, and a small tensor takes the smallest that is free', (t) => {
  const [small, large] = [relu(tensor([1])), relu(tensor([1, 2, 3, 4, 5, 6, 7, 8]))];
  const both = concat([small, large]); // [9], beside them: three buffers, two of which are free afterwards
  const after = relu(sum(both, { keepDims: true })); // [1] twice: the sum into the one of 1, relu into another
  t.deepEqual(slotsOf([after]), [9, 8, 1]);
  t.end();
});

test('what lives long does not hold on to a buffer that is too large for it', (t) => {
  let value: Tensor = tensor([1]);
  const kept: Tensor[] = [];
  for (let i = 0; i < 10; i++) {
    value = sum(exp(broadcastTo(value, [100])), { keepDims: true });
    kept.push(value);
  }
  t.deepEqual(slotsOf(kept), [100, 100, ...kept.slice(1).map(() => 1)]); // the last one finds a large one free
  t.end();
});

test('an empty tensor has a buffer of one element that can be bound', (t) => {
  t.deepEqual(slotsOf([relu(tensor(new Float32Array(0)))]), [1]);
  t.end();
});

test('results keep their buffers to the end, also where they are read on the way', (t) => {
  const first = relu(tensor([1, 2]));
  let chain = exp(first);
  for (let i = 0; i < 6; i++) chain = relu(chain);
  const { outputs } = buildProgram([first, chain, sum(chain)], [], undefined);
  t.equal(new Set(outputs.map(({ place }) => placeName(place))).size, 3);
  t.end();
});

test('in the plans of random graphs every operation finds its inputs where they were put', (t) => {
  fc.assert(
    fc.property(randomGraphs, (graph) => {
      const fault = walk(graph, programOf(graph));
      if (fault) throw new Error(fault);
    }),
    { numRuns: 300, seed: 2 },
  );
  t.pass('300 graphs');
  t.end();
});

test('the plans of random graphs on the CPU give what naive evaluation gives', async (t) => {
  await fc.assert(
    fc.asyncProperty(randomGraphs, async ({ outputs }) => {
      const results = await run(() => outputs, { device: cpu });
      for (const [i, result] of results.entries()) {
        const [got, expected] = [await result.data(), evaluateNaively(outputs[i] ?? tensor(0))];
        // Bit for bit, so that -0 and NaN count as well.
        if (Buffer.compare(bytes(got), bytes(expected)) !== 0)
          throw new Error(`result ${i}: ${String(got)} is not ${String(expected)}`);
      }
    }),
    { numRuns: 200, seed: 3 },
  );
  t.pass('200 graphs');
});

const bytes = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * Walks a program with tokens in place of values: each output of a node is a token, written to a place and looked for
 * wherever the graph reads it. In words what is wrong, if anything.
 */
function walk({ outputs, inputs }: RandomGraph, program: Program): string | undefined {
  const nodes = nodesBefore(outputs).filter(({ operation }) => !operation.alias);
  const held = new Map<string, string>();
  const tokenOf = (value: Tensor): string => {
    const { origin } = storageOf(value);
    return origin.kind === 'node' ? `${origin.node.id}.${origin.index}` : `leaf ${inputs.indexOf(storageOf(value))}`;
  };
  inputs.forEach((input, i) => held.set(`input ${i}`, tokenOf(input)));
  program.constants.forEach(({ data }, i) => {
    const leaves = nodesBefore(outputs).flatMap((node) =>
      node.inputs.filter(({ origin }) => origin.kind === 'constant'),
    );
    const leaf = leaves.find(({ origin }) => origin.kind === 'constant' && origin.data === data);
    if (leaf) held.set(`constant ${i}`, tokenOf(leaf));
  });
  if (nodes.length !== program.steps.length) return `${program.steps.length} steps for ${nodes.length} nodes`;
  for (const [s, step] of program.steps.entries()) {
    const node = nodes[s];
    if (!node || node.operation !== step.operation) return `step ${s} is ${step.operation.name}`;
    for (const [i, input] of node.inputs.entries()) {
      const place = step.inputs[i]?.place;
      if (!place || held.get(placeName(place)) !== tokenOf(input)) return `step ${s} does not find its input ${i}`;
    }
    const written = step.outputs.map(({ place }) => placeName(place));
    const read = new Set(step.inputs.map(({ place }) => placeName(place)));
    if (written.some((name) => read.has(name))) return `step ${s} reads and writes one buffer`;
    if (new Set(written).size !== written.length) return `step ${s} writes two outputs to one buffer`;
    step.outputs.forEach(({ place, shape }, i) => {
      held.set(placeName(place), `${node.id}.${i}`);
      const room = place.kind === 'slot' ? (program.slots[place.index]?.elements ?? 0) : 0;
      if (room < sizeOf(shape)) held.set(placeName(place), 'does not fit');
    });
  }
  for (const [i, output] of outputs.entries()) {
    const place = program.outputs[i]?.place;
    if (!place || held.get(placeName(place)) !== tokenOf(output)) return `result ${i} was overwritten`;
  }
  return undefined;
}
