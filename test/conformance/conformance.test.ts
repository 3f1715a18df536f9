import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'tape';
import { DataError } from '../../lib/errors.js';
import type { SafetensorsTensor } from '../../lib/io/safetensors-types.js';
import { writeSafetensors } from '../../lib/node/safetensors.js';
import { compare } from './compare.js';
import { readCases } from './index-file.js';
import { hash, normAndProbe, valuesByRule } from './rule.js';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

interface Finished {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs the command line in a process of its own. */
function conformance(...words: string[]): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', tsx, main, ...words], {
    env: { ...process.env, KERNELWRIGHT_DEVICE: 'cpu' },
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, lines: output.trimEnd().split('\n'), errors }));
  });
}

interface Written {
  readonly op: string;
  readonly name: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly [role: string, tensor: SafetensorsTensor, f64?: string]>>;
  /** Of every tensor that is checked. */
  readonly tolerance?: number;
}

/** A folder of vectors, removed after `use`. */
async function withVectors(cases: readonly Written[], use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const entries = [];
    for (const { op, name, attrs = {}, tensors, tolerance = 0 } of cases) {
      const file = `${op}/${name}.safetensors`;
      await mkdir(join(folder, dirname(file)), { recursive: true });
      const inFile = Object.entries(tensors).map(([tensorName, [, tensor]]) => [tensorName, tensor] as const);
      await writeSafetensors(join(folder, file), new Map(inFile));
      const described = Object.entries(tensors)
        .filter(([tensorName]) => !tensorName.endsWith('.f64'))
        .map(([tensorName, [role, { dtype, shape }, f64]]) => [
          tensorName,
          {
            ...{ role, dtype, shape, rtol: tolerance, atol: tolerance },
            ...(f64 !== undefined && { f64 }),
            ...(`${tensorName}.atol` in tensors && { atol_by_step: `${tensorName}.atol` }),
          },
        ]);
      entries.push({ op, name, file, attrs, rtol: 0, atol: 0, tensors: Object.fromEntries(described) as unknown });
    }
    await writeFile(join(folder, 'index.json'), JSON.stringify({ cases: entries }));
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const f32 = (values: readonly number[], shape: readonly number[] = [values.length]): SafetensorsTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});
const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): SafetensorsTensor => ({
  dtype: 'F64',
  shape,
  data: Float64Array.from(values),
});

/** (x · y)'s gradients are the other factor times the upstream one; the float32 version of `out` is off on purpose. */
const product: Written = {
  op: 'mul',
  name: 'by_hand',
  tolerance: 1e-6,
  tensors: {
    'grad.b': ['grad', f32([3, 10])],
    out: ['output', f32([0, 0]), 'out.f64'],
    'out.f64': ['', f64([8, 15])],
    b: ['input', f32([4, 3])],
    'grad.a': ['grad', f32([6, 6]), 'grad.a.f64'], // named in the index, left out of the file
    'grad.out': ['upstream', f32([1.5, 2])],
    a: ['input', f32([2, 5])],
  },
};
const empty: Written = {
  op: 'relu',
  name: 'empty',
  tensors: { x: ['input', f32([], [0, 3])], out: ['output', f32([], [0, 3])] },
};
const wrong: Written = {
  op: 'sum',
  name: 'wrong',
  attrs: { axes: null, keepdim: false },
  tolerance: 1e-3,
  tensors: {
    x: ['input', f32([1, 2, 3])],
    'grad.out': ['upstream', f32([2], [])],
    out: ['output', f32([7], [])],
    'grad.x': ['grad', f32([2, 2, 2])],
  },
};
const unknown: Written = { op: 'conv4d', name: 'later', tensors: { out: ['output', f32([1])] } };

/** Two steps with momentum 0.5 and learning rate 0.1: v = 1, then 0.5 + 3. */
const momentum: Written = {
  op: 'optimizer',
  name: 'sgd_by_hand',
  attrs: { optimizer: 'sgd', lr: 0.1, momentum: 0.5 },
  tolerance: 1e-6,
  tensors: {
    a: ['input', f32([1])],
    'grad.a': ['upstream', f32([1, 3], [2, 1])],
    'a.after': ['output', f32([0.9, 0.55], [2, 1])],
    'a.state.momentum_buffer': ['output', f32([1, 3.5], [2, 1])],
  },
};

/** One picture of one white pixel, and the class 0. */
const pixel = ['input', { dtype: 'U8', shape: [1, 1, 1, 1], data: Uint8Array.of(255) }] as const;
const label = ['input', { dtype: 'I32', shape: [1], data: Int32Array.of(0) }] as const;
const photo: Written = {
  op: 'mynet_data',
  name: 'pixel',
  tensors: { 'train.u8': pixel, 'train.labels': label, 'test.u8': pixel, 'test.labels': label },
};
const order = { dtype: 'I32', shape: [1, 2], data: Int32Array.of(0, -1) } as const;

/** x = 1 -> fc1: -2 -> fc2: 2 -> ReLU -> dropout: 4 -> fc3: (4, 4), the classes equally likely. */
const threeLayers: readonly Written[] = [
  photo,
  {
    op: 'mynet_init',
    name: 'three',
    attrs: { sizes: [1, 1, 1, 2] },
    tensors: {
      'fc1.weight': ['output', f32([-2], [1, 1])],
      'fc1.bias': ['output', f32([0])],
      'fc2.weight': ['output', f32([-1], [1, 1])],
      'fc2.bias': ['output', f32([0])],
      'fc3.weight': ['output', f32([1, 0], [2, 1])],
      'fc3.bias': ['output', f32([0, 4])],
      order: ['input', order],
    },
  },
  {
    op: 'mynet_run',
    name: 'three_dropout',
    attrs: { net: 'three', optimizer: 'sgd', lr: 0.1, p: 0.5 },
    tolerance: 1e-6,
    tensors: {
      masks: ['input', { dtype: 'U8', shape: [1, 2, 1], data: Uint8Array.of(1, 0) }],
      loss: ['output', f32([Math.LN2])],
      first_logits: ['output', f32([4, 4], [1, 2])],
      logits_test_before: ['output', f32([2, 4], [1, 2])], // without dropout
      'first_grad.fc3.weight': ['output', f32([-2, 2], [2, 1])], // -+1/2 · 4
      'first_grad.fc2.weight': ['output', f32([2], [1, 1])], // -1/2 · 2 behind the dropout, · -2
      'first_grad.fc1.weight': ['output', f32([1], [1, 1])], // -1 · -1
      'final.fc1.bias': ['output', f32([-0.1])],
    },
  },
];

/** x = 1 -> fc1: 1/2 -> the activation -> fc2: (1, 2) times it, plus (0, 1). */
const withActivation = (activations: unknown, hidden: number): readonly Written[] => [
  photo,
  {
    op: 'mynet_init',
    name: 'two',
    attrs: {},
    tensors: {
      'fc1.weight': ['output', f32([0.5], [1, 1])],
      'fc1.bias': ['output', f32([0])],
      'fc2.weight': ['output', f32([1, 2], [2, 1])],
      'fc2.bias': ['output', f32([0, 1])],
      order: ['input', order],
    },
  },
  {
    op: 'mynet_run',
    name: 'told',
    attrs: { net: 'two', optimizer: 'sgd', lr: 0.1, sizes: [1, 1, 2], activations },
    tolerance: 1e-6,
    tensors: { first_logits: ['output', f32([hidden, 2 * hidden + 1], [1, 2])] },
  },
];

test('conformance: right cases pass, what does not exist is listed and skipped', async (t) => {
  await withVectors([product, empty, unknown, momentum], async (folder) => {
    const { code, lines, errors } = await conformance(folder);
    t.equal(code, 0, errors);
    t.equal(lines.at(-1), '3 passed, 0 failed, 1 skipped');
    t.ok(
      lines.some((line) => /^ {2}conv4d +1 cases$/.test(line)),
      'conv4d is listed',
    );
  });
});

test('conformance: a wrong result is named with operation, case, tensor, device and error', async (t) => {
  await withVectors([product, wrong], async (folder) => {
    const { code, lines } = await conformance(folder, '--device', 'cpu');
    t.equal(code, 1);
    t.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped');
    const failed = lines.filter((line) => line.startsWith('FAILED'));
    t.equal(failed.length, 1, 'the gradient, which is right, is not named');
    t.match(failed[0] ?? '', /^FAILED sum\/wrong on cpu: out\[\] is 6, expected 7: error 1\.00e\+0, allowed 8\.00e-3/);
    const only = await conformance(folder, '--only', 'mul');
    t.equal(only.code, 0);
    t.equal(only.lines.at(-1), '1 passed, 0 failed, 0 skipped');
  });
});

test('conformance: a case that cannot be read fails, and the others run', async (t) => {
  await withVectors([product, empty], async (folder) => {
    await rm(join(folder, 'mul/by_hand.safetensors'));
    const { code, lines } = await conformance(folder);
    t.equal(code, 1);
    t.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped');
    t.ok(lines.some((line) => line.startsWith('FAILED mul/by_hand on cpu') && line.includes('by_hand.safetensors')));
  });
});

test('conformance: a net of three layers is trained with its masks, from the bytes of its pictures', async (t) => {
  await withVectors(threeLayers, async (folder) => {
    const { code, lines } = await conformance(folder);
    t.equal(lines.at(-1), '3 passed, 0 failed, 0 skipped', lines.join('\n'));
    t.equal(code, 0);
  });
});

test('conformance: a net has the sizes and activations that its run names', async (t) => {
  for (const [activations, hidden] of [
    [['tanh'], Math.tanh(0.5)],
    [['sigmoid', null], 1 / (1 + Math.exp(-0.5))],
    [['none', 'none'], 0.5],
  ] as const) {
    await withVectors(withActivation(activations, hidden), async (folder) => {
      const { lines } = await conformance(folder, '--only', 'mynet_run');
      t.equal(lines.at(-1), '1 passed, 0 failed, 0 skipped', lines.join('\n'));
    });
  }
  for (const [activations, message] of [
    [['tanhh'], /there is no activation 'tanhh': expected none, relu, /],
    [['tanh', 'relu', 'relu'], /3 activations do not fit 2 layers/],
    ['tanh', /mynet_run\/told: attribute 'activations' must be a list of texts, found "tanh"/],
  ] as const) {
    await withVectors(withActivation(activations, 0), async (folder) => {
      const { lines } = await conformance(folder, '--only', 'mynet_run');
      t.match(lines.find((line) => line.startsWith('FAILED')) ?? '', message);
    });
  }
});

const SLOPE = (2 * (1 / (1 + Math.exp(-2)) - 1) + 1 / (1 + Math.exp(-1))) / 2;

/** Pictures of one channel, 1 high and 2 wide. */
const pictures = (values: readonly number[]): SafetensorsTensor => ({
  dtype: 'U8',
  shape: [values.length / 2, 1, 2, 1],
  data: Uint8Array.from(values),
});
const layers = [
  { layer: 'conv', name: 'conv', out: 2, kernel: 1, stride: 1, padding: 0 },
  { layer: 'relu' },
  { layer: 'global_avg_pool' },
  { layer: 'linear', name: 'fc', out: 2 },
];
/** A convolution 1 x 1 with the weights 1 and -1, ReLU, the mean of the places, and a dense layer that changes nothing. */
const convnet = (firstLoss: number, changes: Readonly<Record<string, unknown>> = {}): readonly Written[] => [
  {
    op: 'convnet_data',
    name: 'tiny',
    attrs: { x: 'u8 as float32', u8_layout: 'NHWC', layers, params: 6, ...changes },
    tensors: {
      'train.u8': ['input', pictures([1, 3, 0, 2])],
      'train.labels': ['input', { dtype: 'I32', shape: [2], data: Int32Array.of(0, 1) }],
      'test.u8': ['input', pictures([1, 1])],
      'init.conv.weight': ['input', f32([1, -1], [2, 1, 1, 1])],
      'init.fc.weight': ['input', f32([1, 0, 0, 1], [2, 2])],
      order: ['input', { dtype: 'I32', shape: [2, 2], data: Int32Array.of(0, 1, 0, -1) }],
    },
  },
  {
    op: 'convnet_run',
    name: 'tiny_sgd',
    attrs: { net: 'tiny', optimizer: 'sgd', lr: 0.5 },
    tolerance: 1e-6,
    tensors: {
      // The means of the pictures are 2 and 1, so logits (2, 0) and (1, 0): softmax 0.8808, 0.7311.
      first_logits: ['output', f32([2, 0, 1, 0], [2, 2])],
      // Of (probability - target) · mean: ((0.8808 - 1) · 2 + 0.7311 · 1) / 2; the other channel is dark.
      'first_grad.fc.weight': ['output', f32([SLOPE, 0, -SLOPE, 0], [2, 2])],
      'first_grad.conv.weight': ['output', f32([SLOPE, 0], [2, 1, 1, 1])],
    },
  },
  {
    op: 'convnet_run',
    name: 'by_step',
    attrs: { net: 'tiny', optimizer: 'sgd', lr: 0 },
    tensors: {
      loss: ['output', f32([firstLoss, 0], [2]), 'loss.f64'],
      'loss.f64': ['', f64([firstLoss, 0], [2])],
      'loss.atol': ['tolerance', f64([1e-5, 1], [2])],
    },
  },
];
const firstLoss = (Math.log(1 + Math.exp(-2)) + Math.log(1 + Math.exp(1))) / 2;

test('conformance: a convolutional net is made of its layers and trained, with tolerances by step', async (t) => {
  await withVectors(convnet(firstLoss), async (folder) => {
    const { lines } = await conformance(folder);
    t.equal(lines.at(-1), '3 passed, 0 failed, 0 skipped', lines.join('\n'));
  });
  await withVectors(convnet(firstLoss + 1e-4), async (folder) => {
    const { lines } = await conformance(folder, '--only', 'convnet_run');
    t.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped', 'no attempt helps what is wrong');
    t.match(lines.find((line) => line.startsWith('FAILED')) ?? '', /convnet_run\/by_step on cpu: loss\[0\] is 0\.7/);
  });
  await withVectors(convnet(firstLoss, { layers: [{ layer: 'conv5d' }] }), async (folder) => {
    const { lines } = await conformance(folder, '--only', 'convnet_data');
    t.match(
      lines.find((line) => line.startsWith('FAILED')) ?? '',
      /there is no layer 'conv5d': expected conv, depthwise/,
    );
  });
});

test('conformance: a wrong command line ends with exit code 2 and no stack trace', async (t) => {
  await withVectors([product], async (folder) => {
    const attempts: readonly (readonly [RegExp, ...string[]])[] = [
      [/unknown option --devise \(did you mean '--device'\?\)/, folder, '--devise', 'cpu'],
      [/unknown device 'gpu'/, folder, '--device', 'gpu'],
      [/no case has the operation 'mull' \(did you mean 'mul'\?\)/, folder, '--only', 'mull'],
      [/there is no folder .*missing/, join(folder, 'missing')],
      [/expected one folder, found none/],
    ];
    const ended = await Promise.all(attempts.map(([, ...words]) => conformance(...words)));
    for (const [i, { code, errors }] of ended.entries()) {
      const [message = /./, ...words] = attempts[i] ?? [];
      t.equal(code, 2, words.join(' '));
      t.match(errors, message);
      t.notOk(/\n\s+at /.test(errors), 'no stack trace');
    }
  });
});

test('conformance: a broken index.json is named', async (t) => {
  await withVectors([product], async (folder) => {
    for (const [text, message] of [
      ['{', /index\.json is not JSON/],
      ['[]', /index\.json: expected an object with an array 'cases'/],
      ['{"cases":[{"op":"mul"}]}', /index\.json: case 0 has no text 'name'/],
      [
        '{"cases":[{"op":"mul","name":"a","file":"f","tensors":{"x":{"role":"input"}}}]}',
        /mul\/a\): tensor x has no 'shape'/,
      ],
    ] as const) {
      await writeFile(join(folder, 'index.json'), text);
      const error: unknown = await readCases(folder).catch((thrown: unknown) => thrown);
      t.ok(error instanceof DataError);
      t.match(String(error), message);
    }
    const { code, errors } = await conformance(folder);
    t.equal(code, 1);
    t.match(errors, /^[^\n]*index\.json: case 0[^\n]*\n$/, 'one line, no stack trace');
  });
});

test('conformance: the rule that makes weights', (t) => {
  t.equal(hash('conv1.weight'), 3184444564);
  t.equal(hash('a'), 0xe40c292c, 'FNV-1a of one letter, as it is published');
  const first = (name: string, shape: readonly number[]) => Array.from(valuesByRule(name, shape, '').slice(0, 2));
  t.deepEqual(first('conv1.weight', [64, 3, 7, 7]), [0.18361294269561768, 0.12483788281679153]);
  t.deepEqual(first('bn1.running_var', [64]), [0.7323143482208252, 1.0347907543182373]);
  t.deepEqual(first('fc.weight', [2, 2048]), [-0.023980362340807915, -0.01832048036158085]);
  t.deepEqual(first('input', [2, 3, 64, 64]), [0.7990331053733826, 0.333159863948822]);
  const { norm, probe } = normAndProbe('x', [3, 4]);
  t.equal(norm, 5);
  t.notEqual(probe, normAndProbe('x', [4, 3]).probe, 'what is swapped is seen');
  t.end();
});

test('conformance: the rule of comparison', (t) => {
  const verdict = (got: readonly number[], expected: readonly number[], rtol = 0, atol = 0) =>
    compare({
      name: 'out',
      got: { shape: [got.length], data: got },
      expected: { shape: [expected.length], data: expected },
      rtol,
      atol,
    });
  t.equal(verdict([NaN, Infinity, -0], [NaN, Infinity, 0]).fault, undefined, 'NaN, infinity, signed zero');
  t.ok(verdict([Infinity], [-Infinity], 1, 1).fault, 'the sign of an infinity counts');
  t.ok(verdict([0], [NaN], 1, 1).isSpecial, 'NaN is missing');
  t.equal(verdict([1.5], [1], 0.25, 0.25).margin, 1, 'the limit itself passes');
  t.equal(verdict([1.5], [1], 0.25, 0.25).fault, undefined);
  t.equal(verdict([2, 1.75], [1, 1], 0.25, 0.25).margin, 2, 'the worst one is told');
  t.ok(verdict([1 + 2 ** -23], [1]).fault, 'every bit counts without tolerance');
  t.ok(verdict([1], [1, 2]).fault, 'shapes');
  const far = (got: number, l2: number) =>
    compare({
      ...{ name: 'out', rtol: 0, atol: [1, 3], l2 },
      got: { shape: [2, 1], data: [1, got] },
      expected: { shape: [2, 1], data: [1, 1] },
    }).fault;
  t.deepEqual([far(4, 3), far(0, 3)], [undefined, undefined], 'a tolerance for each step');
  t.match(far(4.5, 9) ?? '', /error 3\.50e\+0, allowed 3\.00/);
  t.match(far(4, 2.5) ?? '', /at a distance of 3\.00e\+0 from the truth, allowed 2\.50/);
  t.end();
});
