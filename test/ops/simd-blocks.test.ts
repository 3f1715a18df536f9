/**
 * Kernels that may be stages of a fused product work on a block of a matrix: the same numbers as on the whole matrix, and
 * nothing beside the block is touched.
 */
import test from 'tape';
import { binaryWasm, dropoutWasm, sgdWasm, unaryGradientWasm, unaryWasm } from '../../lib/generated/wasm.js';
import { optimizerState } from '../../lib/ops/update/optimizer-state.js';
import { RandomStream } from '../../lib/random.js';
import { callSimd, memory } from '../support/simd-call.js';

/** The matrix, and where the block begins in it. */
const [ROWS, COLUMNS] = [7, 37];
const [FIRST_ROW, FIRST_COLUMN] = [2, 3];
const MATRIX_BYTES = 16 * 1024;
const SCRATCH = 60 * MATRIX_BYTES;

/** A matrix in the memory: an address, and bytes from one row to the next. */
type Place = readonly [address: number, pitch: number];

interface BlockKernel {
  readonly kernel: { readonly module: string; readonly entryPoint: string };
  /** Matrices that are read and are not written. */
  readonly sources: number;
  /** Matrices that are written, in place. */
  readonly targets: number;
  /** The arguments of a call over some rows and columns, the first of which is element `first` of the matrix. */
  readonly call: (
    sources: readonly Place[],
    targets: readonly Place[],
    size: readonly [number, number],
    first: number,
  ) => number[];
}

/** Behind the matrices: a generator's state. */
const SETTINGS = 50 * MATRIX_BYTES;
/** The two words of a parameter in an optimizer's state: its learning rate and step. */
const OPTIMIZER = SETTINGS + 16;
const unary = (entryPoint: string): BlockKernel => ({
  kernel: { module: unaryWasm, entryPoint },
  sources: 0,
  targets: 1,
  call: (_, [at = [0, 0]], size) => [...at, ...at, ...size, 0.5, 1],
});

const KERNELS: readonly BlockKernel[] = [
  unary('relu'),
  unary('hyperbolicTangent'),
  {
    kernel: { module: unaryGradientWasm, entryPoint: 'reluDerivative' },
    sources: 1,
    targets: 1,
    call: ([input = [0, 0]], [gradient = [0, 0]], size) => [...input, ...gradient, ...gradient, ...size, 0, 0],
  },
  {
    kernel: { module: binaryWasm, entryPoint: 'subtract' },
    sources: 1,
    targets: 1,
    call: ([b = [0, 0]], [a = [0, 0]], size) => [...a, 1, ...b, 1, ...a, ...size],
  },
  {
    kernel: { module: dropoutWasm, entryPoint: 'dropout' },
    sources: 0,
    targets: 1,
    call: (_, [at = [0, 0]], size, first) => [
      ...at,
      ...at,
      ...size,
      first,
      COLUMNS,
      SETTINGS,
      12345,
      6,
      2 ** 23,
      2,
      SCRATCH,
    ],
  },
  {
    kernel: { module: sgdWasm, entryPoint: 'plain' },
    sources: 1,
    targets: 1,
    call: ([gradient = [0, 0]], [parameter = [0, 0]], size) => [
      ...parameter,
      ...gradient,
      ...size,
      ...[OPTIMIZER, 0, 0.01, 0, 0, 0, 0, 0, 0],
    ],
  },
  {
    kernel: { module: sgdWasm, entryPoint: 'momentum' },
    sources: 1,
    targets: 2,
    call: ([gradient = [0, 0]], [parameter = [0, 0], velocity = [0, 0]], size) => [
      ...parameter,
      ...velocity,
      ...gradient,
      ...size,
      ...[OPTIMIZER, 0, 0.01, 0.1, 1, 0, 0, 0, 0],
    ],
  },
];

/** Fills the matrices with the same numbers each time; returns those that are written once `work` is done. */
function after(
  { sources, targets }: BlockKernel,
  work: (sources: number[], targets: number[]) => void,
): Float32Array[] {
  const random = new RandomStream(1, 'blocks');
  const addresses = Array.from({ length: sources + targets }, (_, i) => (i + 1) * MATRIX_BYTES);
  const views = addresses.map((address) => new Float32Array(memory.buffer, address, ROWS * COLUMNS));
  for (const view of views) view.set(random.normal(view.length));
  new Float32Array(memory.buffer, SETTINGS, 4).set([0.1, 1, 0.2, 3]);
  const member = optimizerState(0, [{ steps: 5, take: 0.1 }], Float32Array.of(0.1, 0)).slice(1, 4);
  new Uint32Array(memory.buffer, OPTIMIZER, 3).set(member);
  work(addresses.slice(0, sources), addresses.slice(sources));
  return views.slice(sources).map((view) => view.slice());
}

/** Block sizes around a vector's four and dropout's sixteen elements. */
const SIZES = [
  [1, 1],
  [3, 3],
  [2, 4],
  [4, 5],
  [3, 18],
  [5, 34],
] as const;

for (const each of KERNELS) {
  test(`${each.kernel.entryPoint} works on a block and leaves its neighbours alone`, (t) => {
    const before = after(each, () => undefined);
    const whole = after(each, (sources, targets) => {
      const contiguous = (address: number): Place => [address, 0];
      callSimd(each.kernel, each.call(sources.map(contiguous), targets.map(contiguous), [1, ROWS * COLUMNS], 0));
    });
    for (const [rows, columns] of SIZES) {
      const first = FIRST_ROW * COLUMNS + FIRST_COLUMN;
      const block = after(each, (sources, targets) => {
        const inside = (address: number): Place => [address + 4 * first, 4 * COLUMNS];
        callSimd(each.kernel, each.call(sources.map(inside), targets.map(inside), [rows, columns], first));
      });
      const expected = whole.map((values, i) =>
        values.map((value, at) => {
          const [row, column] = [Math.floor(at / COLUMNS) - FIRST_ROW, (at % COLUMNS) - FIRST_COLUMN];
          const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
          return isInside ? value : (before[i]?.[at] ?? NaN);
        }),
      );
      t.deepEqual(block, expected, `${rows} x ${columns}`);
      t.notDeepEqual(block, before, 'something was computed');
    }
    t.end();
  });
}

test('a row of a bias is added to every row of a block', (t) => {
  const [matrix, bias] = [new Float32Array(memory.buffer, 1024, 15), new Float32Array(memory.buffer, 2048, 5)];
  matrix.set(Array.from(matrix, (_, i) => i));
  bias.set([10, 20, 30, 40, 50]);
  callSimd({ module: binaryWasm, entryPoint: 'add' }, [1024, 20, 1, 2048, 0, 1, 1024, 20, 3, 5]);
  t.deepEqual(Array.from(matrix), [10, 21, 32, 43, 54, 15, 26, 37, 48, 59, 20, 31, 42, 53, 64]);
  t.end();
});
