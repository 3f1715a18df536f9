/** Reductions on the CPU with stages at their head and their tail: block by block, by any number of threads. */
import test from 'tape';
import {
  abs,
  add,
  argmax,
  compile,
  exp,
  logSoftmax,
  max,
  mean,
  min,
  moments,
  multiply,
  relu,
  reshape,
  softmax,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../../lib/index.js';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { elementAt } from '../../../lib/element-at.js';
import { differs } from '../../support/close.js';
import { normal } from '../../support/comparing.js';
import { cpu, simd } from '../../support/devices.js';
import { stepsOf } from '../../support/fusing.js';
import { runSimdGuarded } from '../../support/simd-guarded.js';

interface Form {
  readonly steps: readonly string[];
  readonly of: (x: Tensor, y: Tensor, row: Tensor, column: Tensor) => Tensor | readonly Tensor[];
}

/** Of x and y [R, C], a row [C] and a column [R, 1]. */
const FORMS: readonly Form[] = [
  { steps: ['multiply + sum'], of: (x) => sum(multiply(x, x)) },
  { steps: ['square + sum + sqrt'], of: (x) => sqrt(sum(square(x))) },
  { steps: ['subtract + abs + sum'], of: (x, y) => mean(abs(subtract(x, y))) },
  { steps: ['subtract + multiply + sum'], of: (x, _, row, column) => sum(multiply(subtract(x, row), column)) },
  { steps: ['relu + max'], of: (x) => max(relu(x), { axes: 1 }) },
  { steps: ['subtract + min + abs'], of: (x, _, row) => abs(min(subtract(x, row), { axes: 1 })) },
  { steps: ['multiply + max'], of: (x, y) => max(multiply(x, y), { axes: 0 }) },
  {
    steps: ['add + multiply + sum + multiply'],
    of: (x, _, row, column) => multiply(sum(multiply(add(x, row), column), { axes: 0 }), row),
  },
  {
    steps: ['multiply + sum + add'],
    of: (x, y, _, column) => add(sum(multiply(x, y), { axes: 1, keepDims: true }), column),
  },
  { steps: ['subtract + argmax'], of: (x, _, row) => argmax(subtract(x, row)) },
  { steps: ['subtract + softmax + multiply'], of: (x, y, row) => multiply(softmax(subtract(x, row)), y) },
  { steps: ['multiply + logSoftmax + exp'], of: (x, _, __, column) => exp(logSoftmax(multiply(x, column))) },
  { steps: ['softmax + multiply'], of: (x, _, row) => multiply(softmax(x, { axis: 0 }), row) },
  {
    steps: ['add + moments + sqrt'],
    of(x, _, row) {
      const { mean: average, variance: spread } = moments(add(x, row), { axes: 1 });
      return [average, sqrt(spread)];
    },
  },
  {
    steps: ['moments + abs + sqrt'],
    of(x) {
      const { mean: average, variance: spread } = moments(x, { axes: 0 });
      return [abs(average), sqrt(spread)];
    },
  },
];

const SHAPES: readonly (readonly [number, number])[] = [
  [2, 1],
  [1, 3],
  [5, 64],
  [3, 65],
  [301, 8],
  [257, 3],
  [2, 40_009],
  [4129, 17],
  [131, 2053],
];

type Given = readonly [x: Tensor, y: Tensor, row: Tensor, column: Tensor];

function givenOf([R, C]: readonly [number, number]): Given {
  return [normal('x', R, C), normal('y', R, C), normal('row', C), normal('column', R, 1)];
}

function compiledOn(device: CpuDevice, { of }: Form) {
  return compile((x, y, row, column) => [of(x, y, row, column)].flat(), { device });
}

async function valuesOn(device: CpuDevice, form: Form, given: Given) {
  const compiled = compiledOn(device, form);
  const results = await compiled(...given);
  return { compiled, values: await Promise.all(results.map((result) => result.data())) };
}

test('stages at the head and the tail are carried out block by block, and nothing is written beside the results', async (t) => {
  const tolerance = { absolute: 2e-4, relative: 1e-5 };
  for (const shape of SHAPES) {
    const given = givenOf(shape);
    for (const form of FORMS) {
      const name = `${form.steps.join('; ')} of [${shape.join(', ')}]`;
      const [expected, { compiled, values }] = [await valuesOn(cpu, form, given), await valuesOn(simd, form, given)];
      expected.values.forEach((own, i) => t.equal(differs(elementAt(values, i), own, tolerance), undefined, name));
      if (Math.min(...shape) > 1) t.deepEqual(stepsOf(compiled), form.steps, name);
      for (const { program } of compiled.plans()) {
        const [step, ...others] = program.steps;
        if (!step || others.length > 0) continue;
        const inputs = await Promise.all(step.inputs.map(({ place }) => elementAt(given, place.index).data()));
        const ran = runSimdGuarded(step.operation, step, inputs);
        t.deepEqual(ran?.broken, [], `guards of ${name}`);
        ran?.results.forEach((own, i) => t.deepEqual(own, values[i], `${name} by itself`));
      }
    }
  }
});

test('the same bit for bit with 1, 2 and 3 threads, at the second call as well', async (t) => {
  for (const shape of SHAPES.slice(-4)) {
    const given = givenOf(shape);
    const results: (readonly unknown[])[] = [];
    for (const threads of [1, 2, 3]) {
      const device = new CpuDevice({ reason: 'test', path: 'simd', threads });
      for (let turn = 0; turn < 2; turn++) {
        const own: unknown[] = [];
        for (const form of FORMS) own.push((await valuesOn(device, form, given)).values);
        results.push(own);
        if (turn === 0) await new Promise((resume) => setTimeout(resume, 50)); // the workers come up
      }
      device.dispose();
    }
    for (const result of results) t.deepEqual(result, results[0], `[${shape.join(', ')}]`);
  }
});

test('what stages make of NaN and infinities is reduced as by the references', async (t) => {
  const values = Float32Array.from({ length: 70 * 40 }, (_, i) => i % 7);
  values.set([NaN, Infinity, -Infinity, NaN], 41);
  values.set([Infinity], 2000);
  const [x, y] = [tensor(values, { shape: [70, 40] }), normal('y', 70, 40)];
  for (const form of FORMS) {
    const given: Given = [x, y, normal('row', 40), normal('column', 70, 1)];
    const [expected, got] = [await valuesOn(cpu, form, given), await valuesOn(simd, form, given)];
    expected.values.forEach((own, i) =>
      t.equal(differs(elementAt(got.values, i), own, { absolute: 1e-3, relative: 1e-5 }), undefined, form.steps.join()),
    );
  }
});

test('nothing to reduce is left as it is', async (t) => {
  const empty = tensor(new Float32Array(0), { shape: [0, 3] });
  const compiled = compile((x) => [sum(square(x)), sum(square(x), { axes: 0 }), sum(square(x), { axes: 1 })], {
    device: simd,
  });
  const results = await compiled(empty);
  t.deepEqual(await Promise.all(results.map(async (own) => Array.from(await own.data()))), [[0], [0, 0, 0], []]);
});

test('axes in between, and operands that do not go along them', async (t) => {
  const x = normal('x', 6, 5, 8, 7);
  const forms: readonly (readonly [string, (own: Tensor) => Tensor])[] = [
    ['square + sum', (own) => sum(square(own), { axes: [1, 2] })],
    ['square + sum', (own) => sum(square(own), { axes: [2, 3] })],
    ['square + sum', (own) => sum(square(own), { axes: [0, 1, 2] })],
    ['square; sum', (own) => sum(square(own), { axes: [1, 3] })],
    ['square; sum', (own) => sum(square(own), { axes: [0, 2] })],
    ['square; sum', (own) => sum(square(reshape(own, [56, 5, 6])), { axes: [1] })], // 56 blocks of 30 numbers
    ['multiply; sum', (own) => sum(multiply(own, normal('third', 8, 1)), { axes: [3] })],
  ];
  for (const [steps, form] of forms) {
    const on = async (device: CpuDevice) => {
      const compiled = compile((own) => form(own), { device });
      return { values: await (await compiled(x)).data(), steps: stepsOf(compiled).join('; ') };
    };
    const [expected, got] = [await on(cpu), await on(simd)];
    t.equal(differs(got.values, expected.values, { absolute: 1e-4, relative: 1e-5 }), undefined, steps);
    t.equal(got.steps, steps);
  }
});
