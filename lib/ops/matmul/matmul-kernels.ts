import {
  commonWgsl,
  elementFourWgsl,
  elementOneWgsl,
  matmulAddPartsWgsl,
  matmulBytesWgsl,
  matmulCommonWgsl,
  matmulFloatsWgsl,
  matmulHalfWgsl,
  matmulRowsWgsl,
} from '../../generated/wgsl.js';
import type { Glue } from '../../fusion/glue.js';
import {
  type Binding,
  ceilDivide,
  fillBlock,
  foldWorkgroups,
  type KernelTarget,
  type KernelVariant,
  type Launch,
  Uniforms,
} from '../../graph/launch.js';
import type { DType } from '../../graph/operation.js';
import { fillTemplate } from '../../graph/template.js';
import { sizeOf } from '../../shape.js';
import { scaleParts } from '../moving/bytes.js';
import { offersVariant, variantFor } from './matmul-choice.js';
import { enableLines, type Width } from './matmul-common.js';
import { isHalfFull, type Product } from './matmul-product.js';
import { MATMUL_VARIANTS, type MatmulVariant, SUM_COLUMNS, TECHNIQUES } from './matmul-techniques.js';

/** What a kernel does beside the product itself. */
export interface Beside {
  /** What becomes of the product; left out, it is stored. */
  readonly stages?: (width: Width) => Glue;
  /** Rows of a and of b are picked from tables: how many rows these have, and where the row numbers are. */
  readonly rowsOfA?: TableRows;
  readonly rowsOfB?: TableRows;
}

export interface TableRows {
  readonly indices: number;
  readonly tableRows: number;
  /** What bytes are multiplied by, where it is a table of bytes. */
  readonly scale: number;
}

/** Numbers of bindings in all matmul kernels; a and b are 0 and 1. */
const C_AT = 2;
const UNIFORMS_AT = 3;
const ROWS_OF_A_AT = 4;
const ROWS_OF_B_AT = 5;
/** The first one that is free for stages, and where their numbers are. */
export const STAGES_AT = 6;
export const WORDS = 'size.words';

/** The launches of one variant: one, or with sums that are left in parts a second one that adds them. */
export function productLaunches(
  product: Product,
  variant: MatmulVariant,
  { stages, rowsOfA, rowsOfB }: Beside = {},
): readonly Launch[] {
  const { attributes, dtypes, hasSums: sums } = product;
  const { M, N, K, batchShape, batch } = product.sizes;
  const technique = TECHNIQUES[variant];
  const { block = Infinity } = technique;
  const kPerPart = PART_UNIT * ceilDivide(ceilDivide(K, technique.parts?.(product) ?? 1), PART_UNIT);
  const parts = Math.max(1, ceilDivide(K, Math.max(1, kPerPart)));
  const isOneBlock = Math.min(kPerPart, K) <= block;
  // Blocks are added to C where it is stored as it is; stages want all of a sum.
  const isPartial = parts > 1 || (!isOneBlock && stages !== undefined);
  const [rows, columns] = technique.tile(product);
  const matrices = sizeOf(batchShape);
  const tiles = ceilDivide(M, rows) * ceilDivide(N + (sums ? technique.sumColumns : 0), columns) * matrices * parts;
  const width = technique.width(product);
  const widthOfParts = product.storesFloat16 ? 4 : 1;
  const glue = stages?.(isPartial ? widthOfParts : width);
  const uniformsWith = (words: readonly number[] = [0, 0, 0, 0]): Uint8Array =>
    new Uniforms()
      .u32(M, N, K, matrices, parts, kPerPart, tiles, tableRowsOf(rowsOfA), tableRowsOf(rowsOfB))
      .axes(batch.sizes.toReversed(), 1)
      .axes(batch.strides[0].toReversed(), 0)
      .axes(batch.strides[1].toReversed(), 0)
      .u32(...words)
      .bytes();
  const whole: readonly Binding[] = glue?.bindings ?? [{ output: 0, at: C_AT }];
  const quads = technique.readsQuads(product);
  const sumColumns = sums ? SUM_COLUMNS : 0;
  const multiply: Launch = {
    kernel: {
      name: `${product.name} ${variant}`,
      code:
        enableLines(technique.features ?? []) +
        commonCode(product, width, isPartial ? undefined : glue) +
        pickedCode('A', product, quads.A, rowsOfA) +
        pickedCode('B', product, quads.B, rowsOfB) +
        technique.code(product, isOneBlock),
      entryPoint: technique.entryPoint,
    },
    bindings: [
      { input: product.inputs.A, at: 0 },
      { input: product.inputs.B, at: 1 },
      ...(isPartial ? [{ scratch: 'write' as const, at: C_AT }] : whole),
      ...(rowsOfA ? [{ input: rowsOfA.indices, at: ROWS_OF_A_AT }] : []),
      ...(rowsOfB ? [{ input: rowsOfB.indices, at: ROWS_OF_B_AT }] : []),
    ],
    uniformsAt: UNIFORMS_AT,
    constants: {
      ...(isPartial ? { PARTIAL: 1 } : glue?.constants),
      TRANSPOSE_A: Number(attributes.transposeA),
      TRANSPOSE_B: Number(attributes.transposeB),
      SUM_COLUMNS: sumColumns,
      ...(dtypes.A === 'u8' && rowsOfA && scaleConstants('A', rowsOfA)),
      ...(dtypes.B === 'u8' && rowsOfB && scaleConstants('B', rowsOfB)),
      ...technique.constants?.(product),
      ...product.gathered?.constants,
    },
    uniforms: uniformsWith(isPartial ? undefined : glue?.words),
    workgroups: foldWorkgroups(technique.isOneWorkgroup?.(product) ? 1 : tiles),
  };
  if (!isPartial) return [multiply];
  const addParts: Launch = {
    kernel: {
      name: `${product.name} addParts`,
      code: commonCode(product, widthOfParts, glue) + matmulAddPartsWgsl,
      entryPoint: 'matmulAddParts',
    },
    bindings: [{ scratch: 'read', at: 0 }, ...whole],
    uniformsAt: UNIFORMS_AT,
    constants: { ...glue?.constants, SUM_COLUMNS: sumColumns, ...product.gathered?.constants },
    uniforms: uniformsWith(glue?.words),
    workgroups: foldWorkgroups(ceilDivide(matrices * M * (N / widthOfParts + Math.min(sumColumns, 1)), 64)),
  };
  return [{ ...multiply, scratchBytes: parts * matrices * M * (N + sumColumns) * 4 }, addParts];
}

/** Parts of K are multiples of the deepest strip, and of a vec4. */
const PART_UNIT = 64;

function tableRowsOf(rows: TableRows | undefined): number {
  return rows ? rows.tableRows : 0;
}

/** How an operand is read that is stored so: by fours or one by one, its own rows or rows of a table. */
function pickedCode(
  operand: 'A' | 'B',
  { dtypes, gathered }: Product,
  isInQuads: boolean,
  rows: TableRows | undefined,
): string {
  const counts = { PICKED: Number(rows !== undefined), WHOLE: Number(rows === undefined) };
  const texts = {
    X: operand,
    INDICES: String(operand === 'A' ? ROWS_OF_A_AT : ROWS_OF_B_AT),
    PLACE: gathered?.[operand]?.place ?? 'row',
  };
  return fillTemplate(matmulRowsWgsl, counts, texts) + operandCode(operand, dtypes[operand], isInQuads);
}

/** The same of an operand's elements: `storedX`, or by fours `storedQuadX`. */
function operandCode(operand: 'A' | 'B', dtype: DType, isInQuads = false): string {
  const stored: Readonly<Partial<Record<DType, string>>> = { f16: matmulHalfWgsl, u8: matmulBytesWgsl };
  const counts = { QUADS: Number(isInQuads), NUMBERS: Number(!isInQuads) };
  return fillTemplate(stored[dtype] ?? matmulFloatsWgsl, counts, { X: operand, BINDING: operand === 'A' ? '0' : '1' });
}

function scaleConstants(matrix: 'A' | 'B', { scale }: TableRows): Readonly<Record<string, number>> {
  const [high, rest] = scaleParts(scale);
  return { [`SCALE_OF_${matrix}`]: high, [`REST_OF_${matrix}`]: rest };
}

/** What all kernels begin with; with the stages' code, where some are carried out. */
function commonCode({ sizes: { batch }, gathered }: Product, width: Width, glue: Glue | undefined): string {
  const axes = batch.sizes.length;
  const counts = { IS_BATCH: Math.min(axes, 1), INNER_AXES: Math.max(axes - 1, 0) };
  const common = fillTemplate(matmulCommonWgsl, counts, { OUTERMOST: String(Math.max(axes - 1, 0)) });
  const placed = gathered?.rows === undefined ? common : fillBlock(common, 'rows', gathered.rows);
  return (
    commonWgsl +
    (width === 4 ? elementFourWgsl : elementOneWgsl) +
    (glue ? fillBlock(placed, 'stages', glue.code) : placed) +
    (gathered?.head ?? '')
  );
}

/** Whether a variant could be the fastest: its tile is not mostly empty, and it reads less than all for each element. */
function canWin(variant: MatmulVariant, product: Product): boolean {
  const { M, N } = product.sizes;
  if (variant === 'naive') return Math.min(M, N) < 64;
  if (TECHNIQUES[variant].workgroupBytes === undefined) return true;
  return isHalfFull(product, ...TECHNIQUES[variant].tile(product));
}

/**
 * The variants to choose from on such an adapter, without those that cannot win. Those with tiles in workgroup memory take
 * an adapter that runs on the CPU seconds to compile each, and gain nothing there.
 */
export function triedVariants(product: Product, target: KernelTarget): readonly MatmulVariant[] {
  return MATMUL_VARIANTS.filter(
    (variant) =>
      !(target.isSoftware && TECHNIQUES[variant].suitsSoftware !== true) &&
      canWin(variant, product) &&
      offersVariant(product, variant, target),
  );
}

/** All that are tried, the one that is taken where nothing was measured first. */
export function productVariants(product: Product, target: KernelTarget, beside?: Beside): readonly KernelVariant[] {
  const first = variantFor(product, target);
  return [first, ...triedVariants(product, target).filter((variant) => variant !== first)].map((variant) => ({
    name: variant,
    launches: productLaunches(product, variant, beside),
  }));
}
