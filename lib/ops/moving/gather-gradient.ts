import { commonWgsl, elementFourWgsl, elementOneWgsl, gatherGradientWgsl } from '../../generated/wgsl.js';
import type { NamedBinding, NamedLaunch } from '../../graph/definition.js';
import { ceilDivide, fillBlock, foldWorkgroups, Uniforms } from '../../graph/launch.js';

/** Rows of a table, elements of a row, and rows that were taken. */
export interface TakenRows {
  readonly R: number;
  readonly D: number;
  readonly I: number;
}

type Tensors = 'outputGradient' | 'indices' | 'tableGradient';
type Scratch = Extract<NamedBinding<Tensors>, { readonly scratch: unknown }>;

/** So few indices each element of the table may look through itself, in so many comparisons in all. */
const DIRECT_INDICES = 1024;
const DIRECT_COMPARISONS = 2 ** 24;
const WORKGROUP = 64;
/** Indices that a block sorts at least, and blocks at most. */
const BLOCK_INDICES = 1024;
const BLOCKS = 256;
/** A digit has four bits. */
const DIGIT_BITS = 4;
const DIGITS = 16;
/** Sorted indices of a chunk, or chunks of a larger one. */
const CHUNK = 64;

const OUTPUT_GRADIENT = { operand: 'outputGradient', at: 0 } as const;
const INDICES = { operand: 'indices', at: 1 } as const;
const TABLE_GRADIENT = { operand: 'tableGradient', at: 2 } as const;
const SCRATCH: Scratch = { scratch: 'write', at: 4 };

/** What a launch is for: a digit that is sorted by, a level of chunks that are summed. */
interface Use {
  readonly digit?: number;
  readonly level?: number;
  readonly constants?: Readonly<Record<string, number>>;
}

/** The launches of kernels/moving/gather_gradient.wgsl. */
export function gatherGradientLaunches({ R, D, I }: TakenRows): NamedLaunch<Tensors>[] {
  const width = D % 4 === 0 ? 4 : 1;
  const quads = D / width;
  const levels = levelsOf(I);
  const blocks = Math.min(ceilDivide(I, BLOCK_INDICES), BLOCKS);
  const laneSize = ceilDivide(I, blocks * WORKGROUP);
  const digits = ceilDivide(bitsOf(R), DIGIT_BITS);

  // The scratch: two orders in turn, counts, starts, and sums at whole vec4s.
  const [histogram, starts] = [2 * I, 2 * I + DIGITS * blocks];
  let words = Math.ceil((starts + R + 1) / 4) * 4;
  const sums = Array.from({ length: levels }, (_, l) => {
    const place = words / width;
    words += Math.floor(I / CHUNK ** (l + 1)) * D;
    return place;
  });

  const code = commonWgsl + (width === 4 ? elementFourWgsl + gatherGradientWgsl : elementOneWgsl + BY_ONE);
  const launch = (
    entryPoint: string,
    invocations: number,
    bindings: NamedLaunch<Tensors>['bindings'],
    { digit = digits, level = 0, constants = {} }: Use = {},
  ): NamedLaunch<Tensors> => ({
    kernel: { name: 'gatherGradient', code, entryPoint },
    bindings,
    constants,
    uniforms: new Uniforms()
      .u32(R, quads, I, DIGIT_BITS * digit, blocks, laneSize)
      .u32(digit % 2 === 0 ? I : 0, digit % 2 === 0 ? 0 : I, histogram, starts, bitsOf(I), level)
      .u32(...[...sums, 0, 0, 0, 0].slice(0, 4))
      .bytes(),
    uniformsAt: 3,
    workgroups: foldWorkgroups(ceilDivide(invocations, WORKGROUP)),
  });

  if (I <= DIRECT_INDICES && R * D * I <= DIRECT_COMPARISONS) {
    return [launch('directSums', R * quads, [OUTPUT_GRADIENT, INDICES, TABLE_GRADIENT])];
  }
  const sorting = Array.from({ length: digits }, (_, digit) => {
    const use = { digit, constants: { IS_FIRST: Number(digit === 0) } };
    return (['countDigits', 'placeRows'] as const).map((entryPoint) =>
      launch(entryPoint, blocks * WORKGROUP, [INDICES, SCRATCH], use),
    );
  }).flat();
  const chunks = sums.map((_, l) =>
    launch('sumChunks', Math.floor(I / CHUNK ** (l + 1)) * quads, [OUTPUT_GRADIENT, INDICES, SCRATCH], {
      level: l + 1,
    }),
  );
  return [
    ...sorting,
    launch('startsOfRows', R + 1, [INDICES, SCRATCH]),
    ...chunks,
    launch('sumRows', R * quads, [OUTPUT_GRADIENT, TABLE_GRADIENT, SCRATCH], { constants: { LEVELS: levels } }),
  ].map((each) => ({ ...each, scratchBytes: 4 * words }));
}

/** How often chunks are summed to larger ones: until 4,096 of them at most are left. */
function levelsOf(I: number): number {
  let levels = 0;
  while (CHUNK ** (levels + 2) <= I) levels++;
  return levels;
}

/** Bits of a whole number. */
function bitsOf(value: number): number {
  return Math.max(32 - Math.clz32(value), 1);
}

const BY_ONE = fillBlock(
  gatherGradientWgsl,
  'element',
  `fn sumAt(place: u32) -> Element { return bitcast<Element>(scratch[place]); }
fn storeSum(place: u32, value: Element) { scratch[place] = bitcast<Word>(value); }`,
);
