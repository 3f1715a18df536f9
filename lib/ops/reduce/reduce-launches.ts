import { elementAt } from '../../element-at.js';
import type { Glue } from '../../fusion/glue.js';
import { commonWgsl, elementFourWgsl, elementOneWgsl, normalizeWgsl, reduceWgsl } from '../../generated/wgsl.js';
import { ceilDivide, fillBlock, foldWorkgroups, type KernelTarget, Uniforms } from '../../graph/launch.js';
import type { DType } from '../../graph/operation.js';
import { axisSize, collapse, type Shape, sizeOf, stridesOf, type Walk } from '../../shape.js';

/** The element types that are reduced. */
export type Reduced = Extract<DType, 'f32' | 'i32' | 'u32'>;

/** What a number is reduced as. */
export function reducedType(dtype: DType): Reduced {
  return dtype === 'i32' || dtype === 'u32' ? dtype : 'f32';
}

/** What kernels/reduce/reduce.wgsl computes of the elements of an output, in WGSL on `Element`. */
export interface ReduceKernel {
  readonly name: string;
  readonly dtype: Reduced;
  /** The type of the results. */
  readonly result: Reduced;
  /** Fields of the struct `Accumulator` that the code declares; left out, an accumulator is an Element. */
  readonly fields?: readonly string[];
  /** The functions `neutral`, `lift` and `combine`, and those of `hooks`. */
  readonly code: string;
  /** Functions of the block `function` that the code has of its own. */
  readonly hooks?: readonly ('beginItem' | 'accumulatorAt')[];
  /** Values of overrides in the code. */
  readonly constants?: Readonly<Record<string, number>>;
  /**
   * What is stored of `total`, an accumulator, by `put`, of a second output by `put1`, and so on; `first` takes what stands for
   * an output out of an Element. Left out, there is an output for each element, which the code's `normalized` makes of it
   * and of the accumulator.
   */
  readonly finish?: (first: (element: string) => string) => string;
}

/** The buffers that a reduction reads and writes, and the stages on their way, if any. */
export interface ReduceBuffers<Buffer> {
  readonly bindings: readonly (Buffer & { readonly at?: number })[];
  readonly stages?: Omit<Glue, 'bindings'>;
}

/** The first binding of stages. */
export const STAGES_AT = 2;
/** Those of kernels/reduce/reduce.wgsl without stages. */
export const BINDINGS = [
  { operand: 'input', at: STAGES_AT },
  { operand: 'output', at: STAGES_AT + 1 },
] as const;

const WORKGROUP = 64;
/** So many positions in a row are worth a lane of their own. */
const ROW_POSITIONS = 4;
/** A lane has so many positions, where there are enough for all. */
const LANE_POSITIONS = 16;
/** Fewer invocations than this do not fill a GPU. */
const INVOCATIONS = 131_072;
/** So many items keep the cores of a software adapter busy. */
const SOFTWARE_ITEMS = 256;
/** More would cost digits. */
const MAX_LANE_POSITIONS = 4096;

/** The kept and the reduced axes, each as a walk through the input. */
export interface Walks {
  readonly kept: Walk<readonly [Shape]>;
  readonly reduced: Walk<readonly [Shape]>;
}

export function walksOf(shape: Shape, axes: readonly number[]): Walks {
  const strides = stridesOf(shape);
  const walk = (isReduced: boolean) => {
    const chosen = shape.map((_, axis) => axis).filter((axis) => axes.includes(axis) === isReduced);
    return collapse({
      sizes: chosen.map((axis) => axisSize(shape, axis)),
      strides: [chosen.map((axis) => elementAt(strides, axis))],
    });
  };
  return { kept: walk(false), reduced: walk(true) };
}

/** How a reduction goes through its input: rows or columns, by single numbers or by fours. */
export interface Layout {
  readonly across: boolean;
  readonly width: 1 | 4;
  /** In units of what is loaded at once where their last axis is contiguous. */
  readonly kept: Walk<readonly [Shape]>;
  readonly reduced: Walk<readonly [Shape]>;
  readonly items: number;
  readonly positions: number;
}

export function layoutOf(shape: Shape, axes: readonly number[]): Layout {
  const { kept, reduced } = walksOf(shape, axes);
  const across = kept.strides[0].at(-1) === 1;
  const contiguous = across ? kept : reduced;
  const others = [...contiguous.strides[0].slice(0, -1), ...(across ? reduced : kept).strides[0]];
  const isQuads =
    contiguous.sizes.length > 0 &&
    elementAt(contiguous.sizes, -1) % 4 === 0 &&
    others.every((stride) => stride % 4 === 0);
  const width = isQuads ? 4 : 1;
  const own = {
    sizes: byFours(contiguous.sizes, width, 1 / width),
    strides: [byFours(contiguous.strides[0], width, width)] as const,
  };
  const [ofKept, ofReduced] = across ? [own, reduced] : [kept, own];
  return {
    across,
    width,
    kept: ofKept,
    reduced: ofReduced,
    items: sizeOf(ofKept.sizes),
    positions: sizeOf(ofReduced.sizes),
  };
}

function byFours(axes: readonly number[], width: 1 | 4, factor: number): readonly number[] {
  return width === 1 ? axes : [...axes.slice(0, -1), elementAt(axes, -1) * factor];
}

/** Numbers that are stored at once. */
export function resultWidth({ finish }: ReduceKernel, { across, width }: Layout): 1 | 4 {
  return across || !finish ? width : 1;
}

/**
 * The launches of a reduction. Lanes share an item where it has enough positions, so that they read side by side; where
 * they would still be too few for a GPU, or their sums too long, an item is divided into blocks, which a second launch joins.
 */
export function reduceLaunches<Buffer extends object>(
  kernel: ReduceKernel,
  layout: Layout,
  scale: number,
  { bindings, stages }: ReduceBuffers<Buffer>,
  { isSoftware }: Pick<KernelTarget, 'isSoftware'>,
) {
  const { items, positions } = layout;
  const launch = launchesOf(kernel, layout, scale, stages);
  const lanes = lanesOf(layout, positions, isSoftware);
  if (!kernel.finish) return [{ ...launch('normalize', { positions, blocks: 1, lanes }), bindings }];
  const blocks = blocksOf(ceilDivide(positions, lanes), items * lanes);
  if (blocks === 1) return [{ ...launch('reduceWhole', { positions, blocks, lanes }), bindings }];
  const [before, after] = [
    { scratch: 'write', at: 1 },
    { scratch: 'read', at: 1 },
  ] as const;
  return [
    {
      ...launch('reduceToParts', { positions, blocks, lanes }),
      bindings: [before, ...bindings],
      scratchBytes: 4 * (kernel.fields?.length ?? 1) * layout.width * items * blocks,
    },
    {
      ...launch('reduceFromParts', { positions: blocks, blocks: 1, lanes: lanesOf(layout, blocks, isSoftware) }),
      bindings: [after, ...bindings],
    },
  ];
}

/** Blocks of an item, each lane of which has `positions` of it, where there are so many invocations. */
function blocksOf(positions: number, invocations: number): number {
  if (positions <= 4 * LANE_POSITIONS) return 1;
  const wanted = Math.min(ceilDivide(positions, LANE_POSITIONS), ceilDivide(INVOCATIONS, invocations));
  return Math.max(wanted, ceilDivide(positions, MAX_LANE_POSITIONS));
}

/** Lanes that share an item, a power of two. Software adapters take long for barriers, and read in any order. */
function lanesOf({ across, width, items }: Layout, positions: number, isSoftware: boolean): number {
  let lanes = 1;
  if (isSoftware && items >= SOFTWARE_ITEMS) return lanes;
  if (!across) {
    while (lanes < WORKGROUP && lanes * ROW_POSITIONS < positions) lanes *= 2;
    return lanes;
  }
  // Neighbouring items are read together, 128 bytes at least where there are so many.
  const together = Math.min(items, 32 / width);
  while (2 * lanes * together <= WORKGROUP && lanes * LANE_POSITIONS < positions && lanes * items < INVOCATIONS) {
    lanes *= 2;
  }
  return lanes;
}

function launchesOf(kernel: ReduceKernel, layout: Layout, scale: number, stages: Omit<Glue, 'bindings'> | undefined) {
  const { name, dtype } = kernel;
  const { width, kept, reduced, items } = layout;
  const element = dtype === 'f32' ? (width === 4 ? elementFourWgsl : elementOneWgsl) : elementOf(dtype, width);
  const blocksOfText = {
    layout: layoutText(kernel, layout),
    function: functionText(kernel, layout),
    ...(stages && { stages: stages.code }),
  };
  const skeleton = kernel.finish ? reduceWgsl : reduceWgsl + normalizeWgsl;
  const code = Object.entries(blocksOfText).reduce((text, [block, own]) => fillBlock(text, block, own), skeleton);
  return (
    entryPoint: 'reduceWhole' | 'reduceToParts' | 'reduceFromParts' | 'normalize',
    { positions, blocks, lanes }: { readonly positions: number; readonly blocks: number; readonly lanes: number },
  ) => ({
    kernel: { name, code: commonWgsl + element + code, entryPoint },
    constants: { ...stages?.constants, ...kernel.constants, ...constantsOf(layout, lanes) },
    uniforms: new Uniforms()
      .u32(items, positions, blocks, ceilDivide(positions, blocks), kept.sizes.length, reduced.sizes.length)
      .f32(scale)
      .axes(kept.sizes, 1)
      .axes(kept.strides[0], 0)
      .axes(reduced.sizes, 1)
      .axes(reduced.strides[0], 0)
      .u32(...(stages?.words ?? [0, 0, 0, 0]))
      .bytes(),
    uniformsAt: 0,
    workgroups: foldWorkgroups(ceilDivide(items * blocks * lanes, WORKGROUP)),
  });
}

function constantsOf({ across, reduced }: Layout, lanes: number) {
  const levels = Math.log2(lanes);
  return { LANES: lanes, LEVELS: levels, ACROSS: Number(across), STRAIGHT: Number(reduced.sizes.length <= 1) };
}

function layoutText(kernel: ReduceKernel, layout: Layout): string {
  const { across, width } = layout;
  const resultsAtOnce = resultWidth(kernel, layout);
  const isFolded = width === 4 && !across;
  return [
    `alias Result = ${resultsAtOnce === 4 ? `vec4<${kernel.result}>` : kernel.result};`,
    `const RESULT_WIDTH = ${resultsAtOnce}u;`,
    `const PLACES = ${isFolded ? 'Word(0u, 1u, 2u, 3u)' : 'Word(0u)'};`,
    `const PLACE_STEP = ${isFolded ? 4 : 1}u;`,
  ].join('\n');
}

function functionText({ fields, code, hooks = [], finish }: ReduceKernel, { across, width }: Layout): string {
  const isFolded = width === 4 && !across;
  const turned = (value: string, order: string): string =>
    fields ? `Accumulator(${fields.map((field) => `${value}.${field}.${order}`).join(', ')})` : `${value}.${order}`;
  return [
    ...(fields
      ? []
      : ['alias Accumulator = Element;', 'fn lift(value: Element, place: Word) -> Accumulator { return value; }']),
    code,
    'fn folded(a: Accumulator) -> Accumulator {',
    ...(isFolded
      ? [`  let b = combine(a, ${turned('a', 'zwxy')});`, `  return combine(b, ${turned('b', 'yxwz')});`]
      : ['  return a;']),
    '}',
    ...(hooks.includes('beginItem') ? [] : ['fn beginItem(start: u32) { }']),
    ...(hooks.includes('accumulatorAt')
      ? []
      : ['fn accumulatorAt(index: u32, place: Word) -> Accumulator { return lift(valueAt(index), place); }']),
    `fn finish(total: Accumulator, index: u32) { ${finish?.((element) => (isFolded ? `(${element}).x` : element)) ?? ''} }`,
  ].join('\n');
}

/** element_one.wgsl and element_four.wgsl for integers. */
function elementOf(dtype: Reduced, width: 1 | 4): string {
  return width === 4
    ? `alias Element = vec4<${dtype}>;\nalias Word = vec4u;\nconst WIDTH = 4u;\n`
    : `alias Element = ${dtype};\nalias Word = u32;\nconst WIDTH = 1u;\n`;
}
