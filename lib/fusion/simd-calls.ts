import type { TensorSpec } from '../graph/operation.js';
import type { SimdArgument, SimdCall } from '../graph/simd.js';
import { sizeOf } from '../shape.js';
import { type Broadcast, broadcastOf, isWhole, offsetAt } from './broadcast.js';
import { type Chain, type ChainOutput, type Head, type Link, outputsOfChain, VALUE } from './chain.js';

/** Elements in memory: where they begin, and bytes from one row to the next. */
export interface Rows {
  readonly argument: Exclude<SimdArgument, number>;
  readonly pitch: number;
}

/** A block of rows of a site's values. */
export interface ValueBlock {
  readonly rows: number;
  readonly columns: number;
  /** The place of its first value, and of the first one of the next row behind it, in the tensor counted row-major. */
  readonly first: number;
  readonly pitch: number;
  /** Where values lie that are no output. */
  readonly scratch: Rows;
}

/** A block of a matrix that has been computed, its rows counted on over all matrices where there are several. */
export interface FinishedBlock {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  /** Memory of the block's size that is gone after the calls. */
  readonly scratch: Rows;
}

/** What is done with each block of a matrix while it is in the cache. */
export interface BlockFinish {
  /** Where the matrix goes. */
  readonly target: { readonly output: number } | 'scratch';
  readonly calls: (block: FinishedBlock) => readonly SimdCall[];
}

/** Which output a matrix is written to: what stages say; the first where there are none, or where they read scratch memory. */
export function finishedOutput(finish: BlockFinish | undefined): { readonly output: number } {
  return finish && finish.target !== 'scratch' ? finish.target : { output: 0 };
}

/** What the stages of a site do with blocks of a matrix of so many columns; undefined where there are no stages. */
export function finishOf(
  chain: Chain,
  site: number,
  inputs: readonly TensorSpec[],
  columnsOfAll: number,
): BlockFinish | undefined {
  if (chain.sites[site]?.length === 0) return undefined;
  return {
    target: startOf(chain, site),
    calls: ({ row, column, rows, columns, scratch }) =>
      callsOn(chain, site, inputs, {
        ...{ rows, columns, scratch },
        ...{ first: row * columnsOfAll + column, pitch: columnsOfAll },
      }),
  };
}

/** Rows and columns of a matrix that goes in blocks. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
}

/** Whether all that the last stage of a site reads goes evenly along the rows and columns of a matrix. */
export function goesByBlocks(chain: Chain, site: number, inputs: readonly TensorSpec[], matrix: Matrix): boolean {
  const link = chain.sites[site]?.at(-1);
  return !link || linkGoesByBlocks(link, inputs, matrix);
}

/** The same of all stages at a head of a chain, and whether they have kernels for blocks. */
export function headGoesByBlocks({ from, links }: Head, inputs: readonly TensorSpec[], matrix: Matrix): boolean {
  return links.every(
    (link, l) => link.stage.simd !== undefined && linkGoesByBlocks(link, inputs, matrix, l === 0 ? from : VALUE),
  );
}

/** @param value the input that the value is, where it is one */
function linkGoesByBlocks(
  link: Link,
  inputs: readonly TensorSpec[],
  { rows, columns }: Matrix,
  value = VALUE,
): boolean {
  return link.inputs.every((place, input) => {
    const operand = inputs[place === VALUE ? value : place];
    if (!operand || input === link.stage.words?.input) return true;
    if (link.operation.writes?.includes(input)) return true;
    const broadcast = broadcastOf(operand.shape, link.shape);
    const [axis] = broadcast;
    if (isWhole(broadcast, rows * columns)) return true;
    if (link.stage.simd?.strided !== true || broadcast.length > 1) return false;
    if (!axis) return true;
    return axis.inner === 1 ? axis.size === columns && axis.stride === 1 : axis.inner === columns && axis.size === rows;
  });
}

/** How all that stages read lies along the values, but for words and what is written in place. @param from the input that the first value is */
export function broadcastsOf(
  links: readonly Link[],
  from: number | undefined,
  inputs: readonly TensorSpec[],
): Broadcast[] {
  return links.flatMap((link, l) =>
    link.inputs.flatMap((place, input) => {
      const at = place === VALUE && l === 0 ? (from ?? VALUE) : place;
      const operand = inputs[at];
      const isOther = input === link.stage.words?.input || link.operation.writes?.includes(input);
      return operand && !isOther ? [broadcastOf(operand.shape, link.shape)] : [];
    }),
  );
}

/** Where the values of a site lie before its first stage: in an output of the chain, or in memory that is gone afterwards. */
export function startOf(chain: Chain, site: number): { readonly output: number } | 'scratch' {
  return placeOf(chain, site, 0);
}

/**
 * The calls that carry out the stages of a site on a block, one after the other. All that the stages read goes evenly
 * along its rows and columns. What is no output itself lies where the result will be.
 */
export function callsOn(chain: Chain, site: number, inputs: readonly TensorSpec[], block: ValueBlock): SimdCall[] {
  const layout = outputsOfChain(chain);
  const rowsAt = (link: number): Rows => {
    const place = placeOf(chain, site, link);
    return place === 'scratch' ? block.scratch : wholeRows(place, block);
  };
  const writtenAt = (output: number) => layout.findIndex((each) => each.site === site && isWritten(each, output));
  return stageCalls({ from: chain.from, links: chain.sites[site] ?? [] }, inputs, block, rowsAt, writtenAt);
}

/** The calls that make a block of what the stages at the head of a chain compute, in scratch memory. */
export function headCalls(head: Head, inputs: readonly TensorSpec[], block: ValueBlock): SimdCall[] {
  return stageCalls(head, inputs, block, () => block.scratch);
}

/** Bytes of scratch memory, from its start, that belong to stages themselves. */
export function scratchOfStages(links: readonly Link[]): number {
  return Math.max(STAGE_SCRATCH_BYTES, ...links.map(({ stage }) => stage.simd?.scratchBytes ?? 0));
}

const STAGE_SCRATCH_BYTES = 128;

/**
 * @param rowsAt where the value in front of a stage lies, and behind the last one
 * @param writtenAt the output that is what the last stage writes in place
 */
function stageCalls(
  { from, links }: { readonly from: number | undefined; readonly links: readonly Link[] },
  inputs: readonly TensorSpec[],
  block: ValueBlock,
  rowsAt: (link: number) => Rows,
  writtenAt: (output: number) => number = () => VALUE,
): SimdCall[] {
  return links.map((link, l) => {
    const { stage, operation, attributes, shape } = link;
    const { simd, words, parts = {}, takesIndex } = stage;
    if (!simd) throw new Error(`${operation.name} has no SIMD kernel for blocks (${JSON.stringify(attributes)})`);
    const { argument, pitch } = rowsAt(l);
    const value = [argument, pitch, ...(simd.strided ? [1] : [])];
    const given = link.inputs.flatMap((place, input): readonly SimdArgument[] => {
      if (place === VALUE && (l > 0 || from === undefined)) return value;
      if (input === words?.input) return [];
      const output = operation.writes?.indexOf(input) ?? -1;
      const at = place === VALUE ? (from ?? VALUE) : place;
      if (output < 0) return operandRows(at, inputs[at]?.shape ?? [], shape, block, simd.strided);
      const partBytes = (4 * sizeOf(inputs[place]?.shape ?? [])) / (parts[input] ?? 1);
      return Array.from({ length: parts[input] ?? 1 }, (_, part) =>
        wholeRows({ output: writtenAt(output) }, block, part * partBytes),
      ).flatMap((rows) => [rows.argument, rows.pitch]);
    });
    const to = operation.writes ? [] : [rowsAt(l + 1)].flatMap((rows) => [rows.argument, rows.pitch]);
    return {
      kernel: { module: simd.module, entryPoint: simd.entryPoint },
      arguments: [
        ...[...given, ...to, block.rows, block.columns],
        ...(takesIndex ? [block.first, block.pitch] : []),
        ...(words ? [{ input: link.inputs[words.input] ?? VALUE, offset: 4 * words.from }] : []),
        ...simd.settings,
        ...(simd.scratchBytes === undefined ? [] : [{ scratch: true as const }]),
      ],
    };
  });
}

/** An input that a stage reads beside the values, on a block of them. */
function operandRows(
  input: number,
  from: readonly number[],
  to: readonly number[],
  { rows, columns, first, pitch }: ValueBlock,
  isStrided = false,
): SimdArgument[] {
  const broadcast = broadcastOf(from, to);
  const start = offsetAt(broadcast, first);
  const rowStride = rows > 1 ? offsetAt(broadcast, first + pitch) - start : 0;
  const columnStride = columns > 1 ? offsetAt(broadcast, first + 1) - start : 0;
  return [{ input, offset: 4 * start }, 4 * rowStride, ...(isStrided ? [columnStride] : [])];
}

function isWritten(own: ChainOutput, output: number): boolean {
  return own.kind === 'written' && own.output === output;
}

function wholeRows(output: { readonly output: number }, { first, pitch }: ValueBlock, bytes = 0): Rows {
  return { argument: { ...output, offset: bytes + 4 * first }, pitch: 4 * pitch };
}

/** Where the value in front of a stage lies, or the last one. */
function placeOf(chain: Chain, site: number, link: number): { readonly output: number } | 'scratch' {
  const layout = outputsOfChain(chain);
  const output = layout.findIndex((own) => own.site === site && own.kind === 'kept' && own.link === link);
  if (output >= 0) return { output };
  const result = layout.findIndex((own) => own.site === site && own.kind === 'result');
  return result >= 0 ? { output: result } : 'scratch';
}
