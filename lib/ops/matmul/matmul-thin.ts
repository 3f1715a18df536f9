import { matmulThinWgsl } from '../../generated/wgsl.js';
import { ceilDivide, fillBlock } from '../../graph/launch.js';
import { fillTemplate } from '../../graph/template.js';
import { isSmallProduct, isSomething, type Product, tilesOf } from './matmul-product.js';
import { CHAIN, constantsText, either, loadsOf, partsFor, SHORT_PARTS, type Technique } from './matmul-common.js';

/** What the thin kernel makes of a product. */
interface ThinPlan {
  /** The operand with more rows (A) or columns (B) of C. */
  readonly thick: 'A' | 'B';
  /** Places of the thin operand, and of the thick one, that a workgroup computes at once. */
  readonly thin: number;
  readonly tile: number;
  /** Invocations that share a place of the thick operand, each for a slice of K. */
  readonly slices: number;
}

const THIN_INVOCATIONS = 256;
/** Places of the thin operand at most: 16 sums an invocation. With 8 Intel's compiler spills, and the rest lose occupancy. */
const MOST_THIN = 4;
/** Tiles that one workgroup computes one after the other, at most: each waits for memory. */
const MOST_TURNS = 2;

/** Slices are as many as K has vec4s for; in a small product no more than leave one tile, else no more than fill 64 places. */
function thinPlan(product: Product): ThinPlan {
  const { M, N, K } = product.sizes;
  const columns = N + Number(product.hasSums);
  const thick = M >= columns ? 'A' : 'B';
  const [thickCount, thinCount] = thick === 'A' ? [M, columns] : [columns, M];
  const tileOf = (slices: number): number => (4 * THIN_INVOCATIONS) / slices;
  const usable = [1, 2, 4, 8, 16, 32, 64].filter((slices) => slices === 1 || 4 * slices <= K);
  const whole = usable.filter((slices) => tileOf(slices) >= thickCount);
  const many = usable.filter((slices) => slices <= 16);
  const slices = Math.max(...(isSmallProduct(product) && whole.length > 0 ? whole : [...whole, ...many]));
  return { thick, thin: ceilDivide(thinCount, ceilDivide(thinCount, MOST_THIN)), slices, tile: tileOf(slices) };
}

function thinTile(product: Product): readonly [rows: number, columns: number] {
  const { thick, thin, tile } = thinPlan(product);
  return thick === 'A' ? [tile, thin] : [thin, tile];
}

/** Whether the thin operand is read by fours: where both lie along k. */
function thinReadsQuads({ attributes: { transposeA, transposeB }, inQuads }: Product, thick: 'A' | 'B'): boolean {
  return !transposeA && transposeB && inQuads[thick === 'A' ? 'B' : 'A'];
}

function thinCode(product: Product): string {
  const { thick, thin, slices, tile } = thinPlan(product);
  const { hasSums, attributes } = product;
  const isA = thick === 'A';
  const isThinAlongK = isA ? attributes.transposeB : !attributes.transposeA;
  const plan = constantsText({
    THIN: thin,
    SLICES: slices,
    DEPTH: 4 * slices,
    [`IS_${isA ? 'B' : 'A'}_ALONG_K`]: isThinAlongK,
  });
  const counts = {
    THIN: thin,
    THICK_SUMS: Number(hasSums && !isA),
    THIN_SUMS: Number(hasSums && isA),
    ...either(thinReadsQuads(product, thick) && !hasSums, 'THIN_QUADS', 'THIN_NUMBERS'),
  };
  const texts = {
    T: thick,
    S: isA ? 'B' : 'A',
    INNER: isA ? 'N' : 'M',
    ROW: isA ? 'thick' : 'thin',
    COLUMN: isA ? 'thin' : 'thick',
    THICK: isA ? 'row' : 'column',
    THIN: isA ? 'column' : 'row',
    ROWS: isA ? 'TILE_A' : 'THIN',
    COLUMNS: isA ? 'THIN' : 'TILE_B',
    COUNT: hasSums ? 'size.N + 1u' : 'size.N',
    SUMS: String(slices * (tile + 1)),
  };
  return loadsOf(thick, product, tile) + fillTemplate(fillBlock(matmulThinWgsl, 'thin', plan), counts, texts);
}

/** The kernel for few rows or columns, K split inside of the workgroup. */
export const thinTechnique: Technique = {
  code: thinCode,
  entryPoint: 'matmulThin',
  readsQuads(product) {
    const { thick } = thinPlan(product);
    const ofThin = thinReadsQuads(product, thick) && !product.hasSums;
    const ofThick = product.inQuads[thick];
    return thick === 'A' ? { A: ofThick, B: ofThin } : { A: ofThin, B: ofThick };
  },
  width: () => 1,
  tile: thinTile,
  sumColumns: 1,
  gathers: true,
  parts(product) {
    const least = ceilDivide(product.sizes.K, CHAIN * thinPlan(product).slices);
    const wanted = isSmallProduct(product) ? 1 : partsFor(product, tilesOf(product, ...thinTile(product)), SHORT_PARTS);
    return Math.max(least, wanted);
  },
  isOneWorkgroup: (product) => isSmallProduct(product) && tilesOf(product, ...thinTile(product)) <= MOST_TURNS,
  // Of the thin operand it reads rows, of wherever they are stored.
  offers: (product) =>
    isSomething(product) && product.gathered?.[thinPlan(product).thick === 'A' ? 'B' : 'A']?.loads === undefined,
};
