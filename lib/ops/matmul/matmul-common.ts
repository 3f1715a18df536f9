import { matmulLoadsWgsl, matmulStoresWgsl } from '../../generated/wgsl.js';
import { ceilDivide, fillBlock, type KernelTarget } from '../../graph/launch.js';
import { fillTemplate } from '../../graph/template.js';
import { sizeOf } from '../../shape.js';
import type { Product } from './matmul-product.js';

/** How many elements of C are stored at once. */
export type Width = 1 | 4;

/** What WGSL calls the features of WebGPU that kernels use. */
const ENABLES = {
  subgroups: 'subgroups',
  'shader-f16': 'f16',
  'chromium-experimental-subgroup-matrix': 'chromium_experimental_subgroup_matrix',
} as const;

type KernelFeature = keyof typeof ENABLES;

/** The lines that a kernel begins with which uses these. */
export function enableLines(features: readonly KernelFeature[]): string {
  return features.map((feature) => `enable ${ENABLES[feature]};\n`).join('');
}

/** How a product is computed. */
export interface Technique {
  /** Stands behind matmul_common.wgsl and the operands. */
  readonly code: (product: Product, isOneBlock: boolean) => string;
  readonly entryPoint: string;
  /** Whether A and B are read by fours. */
  readonly readsQuads: (product: Product) => { readonly A: boolean; readonly B: boolean };
  /** How many elements of C are stored at once. */
  readonly width: (product: Product) => Width;
  /** Rows and columns of C that a workgroup computes. */
  readonly tile: (product: Product) => readonly [rows: number, columns: number];
  /** Columns of tiles for the sums over k of op(A), as if B had further columns. */
  readonly sumColumns: number;
  readonly constants?: (product: Product) => Readonly<Record<string, number>>;
  /** Features of WebGPU that it needs; left out, none. */
  readonly features?: readonly KernelFeature[];
  /** Whether an adapter that has those is such a one as it is made for; left out, each is. */
  readonly suits?: (target: KernelTarget) => boolean;
  /** It reads operands by functions that a product may bring. Default false: it computes products of matrices only. */
  readonly gathers?: boolean;
  /** Bytes of workgroup memory; left out, so few that every adapter has them. */
  readonly workgroupBytes?: (product: Product) => number;
  /** It runs on SIMD lanes of a CPU as well as can be: no workgroup memory, no barriers. */
  readonly suitsSoftware?: boolean;
  /** Parts of K that are summed by workgroups of their own; left out, one. */
  readonly parts?: (product: Product) => number;
  /** Steps of K in one chain of sums: beyond them blocks are added to C in memory. Left out, the kernel sees to it itself. */
  readonly block?: number;
  /** One workgroup computes the whole of it, tile by tile. */
  readonly isOneWorkgroup?: (product: Product) => boolean;
  /** Whether it can compute the product at all. */
  readonly offers?: (product: Product) => boolean;
}

/** Steps of K in one chain of float32 additions, at most. */
export const CHAIN = 1024;
/** How K is divided: for so many workgroups, as far as parts have so many steps. */
export interface Division {
  readonly workgroups: number;
  readonly steps: number;
}

/** A workgroup for each core of most GPUs; parts that are worth a workgroup of their own. */
export const SHORT_PARTS: Division = { workgroups: 128, steps: 128 };
/** Some for each core of a large one, in parts so long that to add them up, 8 B for 2 · 512 flop, counts for little. */
export const LONG_PARTS: Division = { workgroups: 768, steps: 512 };

/** A product with more to add up has tiles enough without parts. */
const MOST_SCRATCH_BYTES = 2 ** 26;

/** Parts of K that make enough workgroups out of so many tiles, as far as parts are long and there is memory for them. */
export function partsFor(
  { sizes: { M, N, K, batchShape } }: Product,
  tiles: number,
  { workgroups, steps }: Division,
): number {
  const wanted = ceilDivide(workgroups, tiles);
  const most = Math.floor(MOST_SCRATCH_BYTES / (4 * sizeOf(batchShape) * M * (N + 4)));
  return Math.max(1, Math.min(wanted, Math.floor(K / steps), most));
}

/** 1 for the condition that holds and 0 for the other one. */
export function either(isFirst: boolean, first: string, second: string): Readonly<Record<string, number>> {
  return { [first]: Number(isFirst), [second]: Number(!isFirst) };
}

export function constantsText(constants: Readonly<Record<string, number | boolean>>): string {
  const text = (value: number | boolean): string => (typeof value === 'number' ? `${value}u` : String(value));
  return Object.entries(constants)
    .map(([name, value]) => `const ${name} = ${text(value)};`)
    .join('\n');
}

/** How the tiled and the thin kernel read an operand. */
export function loadsOf(operand: 'A' | 'B', { attributes, inQuads, gathered }: Product, tile: number): string {
  const isAlongK = operand === 'A' ? !attributes.transposeA : attributes.transposeB;
  const window = constantsText({ [`IS_${operand}_ALONG_K`]: isAlongK, [`TILE_${operand}`]: tile });
  const loads = fillBlock(gathered?.[operand]?.loads ?? matmulLoadsWgsl, 'window', window);
  const texts = { X: operand, OUTER: operand === 'A' ? 'M' : 'N' };
  return fillTemplate(loads, either(inQuads[operand], 'QUADS', 'NUMBERS'), texts);
}

/** How kernels store four elements of a row of C, and add them to it where they do. */
export function storesOf({ inQuads }: Product, adds = false): string {
  return fillTemplate(matmulStoresWgsl, {
    ...either(inQuads.C, 'QUADS', 'NUMBERS'),
    ADDS_QUADS: Number(inQuads.C && adds),
    ADDS_NUMBERS: Number(!inQuads.C && adds),
  });
}
