import test from 'tape';
import { ShapeError } from '../../lib/errors.js';
import { defineOperation } from '../../lib/graph/define.js';
import { any, bind, f32, i32, like, numbers, rest, View } from '../../lib/graph/operands.js';
import type { DType, TensorSpec } from '../../lib/graph/operation.js';
import { refuses } from '../support/errors.js';

const spec = (dtype: DType, ...shape: number[]): TensorSpec => ({ dtype, shape });

test('every name of an axis is bound once', (t) => {
  const operands = { logProbabilities: f32('N', 'C'), target: i32('N') };
  t.deepEqual(bind('nll', operands, [spec('f32', 4, 3), spec('i32', 4)]).sizes, { N: 4, C: 3 });
  t.deepEqual(bind('nll', operands, [spec('f32', 0, 3), spec('i32', 0)]).sizes, { N: 0, C: 3 });
  refuses(
    t,
    () => bind('nll', operands, [spec('f32', 4, 3), spec('i32', 5)]),
    ShapeError,
    'nll: needs logProbabilities f32 [N, C], target i32 [N]; found f32 [4, 3], i32 [5]',
  );
  refuses(t, () => bind('nll', operands, [spec('f32', 4, 3)]), ShapeError, 'found f32 [4, 3]');
  refuses(t, () => bind('nll', operands, []), ShapeError, 'found nothing');
  refuses(t, () => bind('nll', operands, [spec('f32', 4), spec('i32', 4)]), ShapeError, 'found f32 [4], i32 [4]');
  t.end();
});

test('an element type that does not fit is told with the word to cast', (t) => {
  const operands = { a: numbers('...a'), b: like('a', '...b') };
  t.deepEqual(bind('add', operands, [spec('i32', 4), spec('i32')]).spreads, { '...a': [4], '...b': [] });
  refuses(
    t,
    () => bind('add', operands, [spec('f32', 4), spec('i32')]),
    ShapeError,
    "add: needs a f32|i32|u32 [...a], b as a [...b]; found f32 [4], i32 []: cast it first, cast(x, 'f32')",
  );
  refuses(t, () => bind('f', { a: f32() }, [spec('f16')]), ShapeError, "cast(x, 'f32')");
  t.end();
});

test('... stands for any number of axes, the same ones everywhere, and numbers for themselves', (t) => {
  const operands = { input: f32('...', 'C'), mask: f32('...'), state: any('u32')(4) };
  const bound = bind('f', operands, [spec('f32', 2, 3, 5), spec('f32', 2, 3), spec('u32', 4)]);
  t.deepEqual(bound, { sizes: { C: 5 }, spreads: { '...': [2, 3] } });
  t.deepEqual(bind('f', operands, [spec('f32', 5), spec('f32'), spec('u32', 4)]).spreads, { '...': [] });
  refuses(t, () => bind('f', operands, [spec('f32', 2, 5), spec('f32', 3), spec('u32', 4)]), ShapeError, '[..., C]');
  refuses(t, () => bind('f', operands, [spec('f32'), spec('f32'), spec('u32', 4)]), ShapeError, 'found f32 []');
  refuses(t, () => bind('f', operands, [spec('f32', 1), spec('f32'), spec('u32', 5)]), ShapeError, 'state u32 [4]');
  t.end();
});

test('the last operand may stand for many', (t) => {
  const operands = { first: f32('N'), others: rest(f32('...')) };
  for (const count of [0, 1, 3]) {
    const given = [spec('f32', 2), ...Array.from({ length: count }, (_, i) => spec('f32', i))];
    t.deepEqual(bind('f', operands, given).sizes, { N: 2 }, `${count} others`);
  }
  refuses(t, () => bind('f', operands, []), ShapeError, '...others f32 [...]');
  t.end();
});

test('names become places: specs, views, launches, calls, gradients and what is written in place', (t) => {
  const operation = defineOperation()({
    name: 'move',
    inputs: { state: f32('N'), others: rest(f32('N')) },
    outputs: { sum: f32('N', 2), state: f32('N') },
    reference({ state, others, sum }, { N }) {
      for (let n = 0; n < N; n++) {
        sum.set(2 * n, state.at(n));
        sum.set(
          2 * n + 1,
          others.reduce((total, other) => total + other.at(n), 0),
        );
        state.set(n, state.at(n) + 1);
      }
    },
    kernel: ({ sizes: { N } }) => [
      {
        kernel: { name: 'move', code: '', entryPoint: 'move' },
        bindings: ['state', { operand: 'others', index: 1 }, { operand: 'sum', at: 7 }, { scratch: 'write' }],
        uniforms: new Uint8Array(),
        workgroups: [N, 1, 1],
      },
    ],
    gradient: ({ outputGradients: { sum }, inputs: { others } }) => ({
      state: sum,
      others: others.map(() => undefined),
    }),
    tolerance: { absolute: 0, relative: 0 },
    cases: [{ inputs: { state: { shape: [1] }, others: [{ shape: [1] }, { shape: [1] }] }, attributes: {} }],
  });
  const inputs = [spec('f32', 3), spec('f32', 3), spec('f32', 3)];
  const outputs = operation.infer(inputs, {});
  t.deepEqual(outputs, [spec('f32', 3, 2), spec('f32', 3)]);
  t.deepEqual(operation.writes, [undefined, 0]);
  t.equal(operation.cases[0]?.inputs.length, 3);
  const [launch] = operation.kernel(
    { inputs, outputs, attributes: {} },
    {
      family: 'unknown',
      isSoftware: true,
      features: new Set(),
      limits: {
        maxStorageBuffersPerShaderStage: 8,
        maxComputeWorkgroupStorageSize: 1,
        maxComputeInvocationsPerWorkgroup: 1,
      },
    },
  );
  t.deepEqual(launch?.bindings, [{ output: 1 }, { input: 2 }, { output: 0, at: 7 }, { scratch: 'write' }]);
  const view = (...values: number[]) => ({ data: Float32Array.from(values), shape: [values.length] });
  const [sum, state] = [{ data: new Float32Array(4), shape: [2, 2] }, view(5, 6)];
  operation.reference({ inputs: [state, view(1, 2), view(3, 4)], outputs: [sum, state], attributes: {} });
  t.deepEqual([...sum.data, ...state.data], [5, 4, 6, 6, 6, 7]);
  t.end();
});

test('a view has no elements but those that exist', (t) => {
  const view = new View({ data: Float32Array.of(1, 2), shape: [2] });
  t.equal(view.at(1), 2);
  for (const index of [-1, 2, 0.5, NaN]) {
    t.throws(() => view.at(index), RangeError, `at(${index})`);
    t.throws(() => {
      view.set(index, 1);
    }, /no element .* in \[2\]/);
  }
  t.end();
});
