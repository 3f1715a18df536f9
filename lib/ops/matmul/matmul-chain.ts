import { epilogueTapWgsl, matmulRowsOfAWgsl, matmulRowsOfBWgsl, matmulSumColumnWgsl } from '../../generated/wgsl.js';
import type { Rows, Stage, StageWidth } from '../../graph/fusion.js';
import { type Binding, fillBlock } from '../../graph/launch.js';
import {
  type ArrayView,
  type Attributes,
  attributesText,
  type Operation,
  type ReferenceCall,
  type TensorSpec,
} from '../../graph/operation.js';
import { formatShape, type Shape, sizeOf } from '../../shape.js';
import { gatherOperation } from '../moving/gather.js';
import { type Epilogue, matmulLaunches, matmulVariants, variantFor } from './matmul-kernels.js';
import { type BlockFinish, type FinishedBlock, matmulSimdPhases } from './matmul-simd.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** A stage with the operation that it stands for, whose reference it has. */
export interface Link {
  readonly stage: Stage;
  readonly operation: Operation;
  readonly attributes: Attributes;
  /** Places of the operation's inputs among those of the chain; VALUE: the element itself. */
  readonly inputs: readonly number[];
}

/** In place of an input: the element that a stage works on. */
export const VALUE = -1;

/**
 * A matrix product with what its kernel does beside it. Inputs: a, b, and what the other parts need.
 * Outputs: those of the last stage (or the product), the tap, the sums (or what the stage on them writes).
 */
export interface Chain {
  /** The product itself. */
  readonly product: Operation<MatmulAttributes>;
  /** Places of the inputs that pick the rows of a and b, which are then tables. */
  readonly rowsOfA?: number;
  readonly rowsOfB?: number;
  readonly stages: readonly Link[];
  /** How many stages there are in front of the point whose value is an output of its own. */
  readonly tap?: number;
  /** The sums over k of op(A) are an output of their own, perhaps with a stage on them. */
  readonly sums?: { readonly link?: Link };
}

const TAP_AT = 7;
const ROWS_OF_A_AT = 11;
const ROWS_OF_B_AT = 12;
const SUMS_AT = 13;

/** How many outputs come before the tap, and where the sums begin. */
export function outputPlaces({ stages, tap }: Chain): { readonly tap: number; readonly sums: number } {
  const main = stages.at(-1)?.stage.writesAt?.length ?? 1;
  return { tap: main, sums: main + Number(tap !== undefined) };
}

/** Buffers that the kernel of a chain binds. */
export function bindingsOf(chain: Chain): number {
  const { loadBindings, bindings } = epilogueOf(chain, [0, 0]);
  return 3 + loadBindings.length + bindings.length;
}

/** A text that is equal for chains with the same kernels, except for the sizes. */
export function chainKey({ rowsOfA, rowsOfB, stages, tap, sums }: Chain): string {
  const textOf = ({ operation, attributes, stage, inputs }: Link): string =>
    [operation.name, attributesText(attributes), attributesText(stage.constants), inputs.join()].join(' ');
  const parts = [rowsOfA, rowsOfB, tap, sums ? (sums.link ? textOf(sums.link) : 'sums') : ''].map(String);
  return [...parts, ...stages.map(textOf)].join('\n');
}

/** The room of a chain. Its reference runs the references of its parts, one after the other. */
export function chainOperation(chain: Chain): Operation<MatmulAttributes> {
  const { product, rowsOfA, rowsOfB, stages, sums } = chain;
  const matricesOf = (inputs: readonly TensorSpec[]): readonly [TensorSpec, TensorSpec] => [
    selectedMatrix(inputs[0], rowsOfA === undefined ? undefined : inputs[rowsOfA]),
    selectedMatrix(inputs[1], rowsOfB === undefined ? undefined : inputs[rowsOfB]),
  ];
  const epilogue = (inputs: readonly TensorSpec[]): Epilogue =>
    epilogueOf(chain, [
      rowsOfA === undefined ? 0 : (inputs[0]?.shape[0] ?? 0),
      rowsOfB === undefined ? 0 : (inputs[1]?.shape[0] ?? 0),
    ]);
  const writes = writesOf(chain);
  const parts = [
    ...(rowsOfA === undefined && rowsOfB === undefined ? [] : ['gather']),
    'matmul',
    ...(sums ? ['sum'] : []),
    ...stages.map(({ operation }) => operation.name),
    ...(sums?.link ? [sums.link.operation.name] : []),
  ];
  return {
    name: parts.join(' + '),
    infer([a, b]) {
      throw new Error(
        `a fused product of ${formatShape(a?.shape ?? [])} and ${formatShape(b?.shape ?? [])} is made of parts`,
      );
    },
    reference: (call) => {
      const [a, b] = matricesOf(call.inputs.map(({ shape }) => ({ shape, dtype: 'f32' })));
      runReference(chain, call, [a.shape, b.shape]);
    },
    kernel({ inputs, attributes }, target) {
      const [a, b] = matricesOf(inputs);
      return matmulLaunches(a, b, attributes, variantFor(a.shape, b.shape, attributes, target), epilogue(inputs));
    },
    variants({ inputs, attributes }, target) {
      const [a, b] = matricesOf(inputs);
      return matmulVariants(a, b, attributes, target, epilogue(inputs));
    },
    simd({ inputs, attributes }) {
      const [{ shape: a }, { shape: b }] = matricesOf(inputs);
      return matmulSimdPhases(a, b, attributes, blockFinishOf(chain, sizesOf(a, b, attributes).N));
    },
    gradient: { unwritten: 'fused operations come after differentiation' },
    ...(writes.some((source) => source !== undefined) && { writes }),
    tolerance: product.tolerance,
    cases: [],
  };
}

/** The matrix that picked rows make, or the matrix itself. */
function selectedMatrix(matrix: TensorSpec | undefined, rows: TensorSpec | undefined): TensorSpec {
  const { shape, dtype } = matrix ?? { shape: [], dtype: 'f32' };
  return { shape: rows ? [sizeOf(rows.shape), sizeOf(shape.slice(1))] : shape, dtype };
}

function writesOf(chain: Chain): (number | undefined)[] {
  const { stages, tap, sums } = chain;
  const last = stages.at(-1);
  const written = (link: Link): (number | undefined)[] =>
    (link.operation.writes ?? []).map((input) => link.inputs[input ?? -1]);
  return [
    ...(last?.stage.writesAt ? written(last) : [undefined]),
    ...(tap === undefined ? [] : [undefined]),
    ...(sums ? (sums.link ? written(sums.link) : [undefined]) : []),
  ];
}

function runReference(
  chain: Chain,
  { inputs, outputs, attributes }: ReferenceCall<MatmulAttributes>,
  [shapeA, shapeB]: readonly [Shape, Shape],
): void {
  const { product, rowsOfA, rowsOfB, stages, tap, sums } = chain;
  const places = outputPlaces(chain);
  const a = selectedRows(inputs[0], rowsOfA === undefined ? undefined : inputs[rowsOfA], shapeA);
  const b = selectedRows(inputs[1], rowsOfB === undefined ? undefined : inputs[rowsOfB], shapeB);
  const { M, N, K } = sizesOf(shapeA, shapeB, attributes);
  const fresh = (shape: Shape): ArrayView => ({ data: new Float32Array(sizeOf(shape)), shape });
  const carryOut = ({ operation, attributes: own, inputs: from }: Link, value: ArrayView, to: readonly ArrayView[]) => {
    const views = from.map((place) => (place === VALUE ? value : inputs[place])).filter((view) => view !== undefined);
    operation.reference({ inputs: views, outputs: to, attributes: own });
  };

  let value = fresh([M, N]);
  product.reference({ inputs: [a, b], outputs: [value], attributes });
  stages.forEach((link, s) => {
    if (s === tap) outputs[places.tap]?.data.set(value.data);
    const isLast = s === stages.length - 1;
    const next = isLast ? undefined : fresh([M, N]);
    carryOut(link, value, next ? [next] : outputs);
    value = next ?? value;
  });
  if (stages.length === 0) outputs[0]?.data.set(value.data);

  const total = outputs[places.sums];
  if (!sums || !total) return;
  const ones = { data: new Float32Array(K).fill(1), shape: [K, 1] };
  const totals = sums.link ? fresh(total.shape) : total;
  product.reference({ inputs: [a, ones], outputs: [totals], attributes: { ...attributes, transposeB: false } });
  if (sums.link) carryOut(sums.link, totals, outputs.slice(places.sums));
}

/** The rows that indices pick from a table, NaN where there is none; the matrix as it is without indices. */
function selectedRows(matrix: ArrayView | undefined, rows: ArrayView | undefined, shape: Shape): ArrayView {
  if (!matrix) throw new Error('a product needs two matrices');
  if (!rows) return matrix;
  const picked = { data: new Float32Array(sizeOf(shape)), shape };
  gatherOperation.reference({ inputs: [matrix, rows], outputs: [picked], attributes: {} });
  return picked;
}

/**
 * What SIMD kernels do with a block of the product, stage after stage. Up to the tap the elements are in its output, then
 * in output 0; what a last stage that writes in place takes in is in scratch memory.
 */
function blockFinishOf(chain: Chain, N: number): BlockFinish {
  const { stages, tap } = chain;
  const writesInPlace = stages.at(-1)?.stage.writesAt !== undefined;
  const result = { output: 0 };
  const blockAt = (operand: Operand, { row, column }: FinishedBlock): Rows => ({
    argument: { ...operand, offset: 4 * (row * N + column) },
    pitch: 4 * N,
  });
  return {
    target: writesInPlace ? 'scratch' : tap === undefined ? result : { output: outputPlaces(chain).tap },
    calls: (block) =>
      stages.map(({ stage, operation, inputs }, s) => {
        if (!stage.simd) throw new Error(`${operation.name} has no SIMD kernel for blocks`);
        const isBehindTap = tap !== undefined && s > tap;
        return stage.simd({
          ...block,
          from: isBehindTap ? blockAt(result, block) : block.elements,
          to: tap !== undefined && s >= tap ? blockAt(result, block) : block.elements,
          blockOf: (operand) => blockAt('input' in operand ? { input: inputs[operand.input] ?? 0 } : operand, block),
          input: (input, start = 0) => ({ input: inputs[input] ?? 0, offset: 4 * start }),
        });
      }),
  };
}

type Operand = { readonly input: number } | { readonly output: number };

/** What the matmul kernel does beside the product: the code of the parts, and what they read and write. */
function epilogueOf(chain: Chain, tableRows: readonly [number, number]): Epilogue {
  const { rowsOfA, rowsOfB, stages, tap, sums } = chain;
  const places = outputPlaces(chain);
  const links = stages.map(({ stage }) => stage);
  const readsOf = ({ stage, inputs }: Link): Binding[] =>
    stage.reads.map(({ input, at }) => ({ input: inputs[input] ?? 0, at }));
  const last = links.at(-1)?.writesAt?.slice(1) ?? [];
  return {
    blocks: {
      ...(rowsOfA !== undefined && { 'rows of A': matmulRowsOfAWgsl }),
      ...(rowsOfB !== undefined && { 'rows of B': matmulRowsOfBWgsl }),
      ...(sums && { sums: sumsCode(sums.link?.stage) }),
    },
    ...(links.length > 0 && { stages: (width: StageWidth) => epilogueCode(links, tap, width) }),
    loadBindings: [
      ...(rowsOfA === undefined ? [] : [{ input: rowsOfA, at: ROWS_OF_A_AT }]),
      ...(rowsOfB === undefined ? [] : [{ input: rowsOfB, at: ROWS_OF_B_AT }]),
    ],
    bindings: [
      ...stages.flatMap(readsOf),
      ...last.map((at, i): Binding => ({ output: i + 1, at })),
      ...(tap === undefined ? [] : [{ output: places.tap, at: TAP_AT }]),
      ...(sums ? (sums.link?.stage.sums?.writesAt ?? [SUMS_AT]) : []).map((at, i): Binding => ({
        output: places.sums + i,
        at,
      })),
    ],
    constants: Object.assign({}, ...links.map(({ constants }) => constants)) as Record<string, number>,
    tableRows,
    sums: sums !== undefined,
  };
}

/** The block `epilogue` of kernels/matmul/matmul_common.wgsl: what the stages need, and a function that calls them in order. */
function epilogueCode(stages: readonly Stage[], tap: number | undefined, width: StageWidth): string {
  const lines = stages.flatMap(({ statements }, s) => [
    ...(s === tap ? ['  value = tap(value, row, column);'] : []),
    `  { ${statements(width)} }`,
  ]);
  return [
    ...(tap === undefined ? [] : [epilogueTapWgsl]),
    ...stages.map(({ code }) => code),
    'fn beginStages() {',
    ...stages.flatMap(({ begin }) => (begin === undefined ? [] : [`  ${begin}`])),
    '}',
    'fn finish(product: Element, row: u32, column: u32) -> Element {',
    '  var value = product;',
    ...lines,
    '  return value;',
    '}',
  ].join('\n');
}

/** The block `sums` of kernels/matmul/matmul_common.wgsl. */
function sumsCode(stage: Stage | undefined): string {
  if (!stage?.sums) return matmulSumColumnWgsl;
  const finish = `fn finishSum(value: f32, row: u32) -> f32 {\n  return ${stage.sums.expression};\n}`;
  return fillBlock(matmulSumColumnWgsl, 'finish sum', finish) + stage.sums.code;
}
