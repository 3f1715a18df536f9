import { type Broadcast, commonAxes } from '../../fusion/broadcast.js';
import type { Chain, Head } from '../../fusion/chain.js';
import { broadcastsOf, callsOn, goesByBlocks, headCalls, scratchOfStages, startOf } from '../../fusion/simd-calls.js';
import type { TensorSpec } from '../../graph/operation.js';
import type { SimdArgument, SimdCall } from '../../graph/simd.js';
import { sizeOf } from '../../shape.js';

/** Rows of elements of a tensor: the first one, counted row-major, and elements from one row to the next. */
interface ElementBlock {
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
  readonly pitch: number;
}

/** Places in scratch memory begin at whole cache lines. */
const LINE_BYTES = 64;

/**
 * The ends of a reduction on the CPU: where the elements lie that it reads, which stages at its head have just computed, a
 * block at a time, and where results go, with the stages on them.
 */
export class ReduceEnds {
  readonly #chain: Chain;
  readonly #inputs: readonly TensorSpec[];
  readonly #head: Head | undefined;
  readonly #broadcasts: readonly Broadcast[];
  /** So many elements, from each multiple of it on, are one row to the stages at the head. */
  readonly #run: number;
  readonly #ofStages: number;
  #taken: number;
  #scratchBytes: number;

  constructor(chain: Chain, inputs: readonly TensorSpec[]) {
    this.#chain = chain;
    this.#inputs = inputs;
    this.#head = chain.heads?.[0];
    this.#broadcasts = this.#head ? broadcastsOf(this.#head.links, this.#head.from, inputs) : [];
    this.#run = (this.#head && commonAxes(this.#broadcasts, sizeOf(this.#head.shape))?.at(-1)) ?? 1;
    this.#ofStages = scratchOfStages([...(this.#head?.links ?? []), ...chain.sites.flat()]);
    this.#taken = this.#ofStages;
    this.#scratchBytes = this.#ofStages;
  }

  /** Whether stages compute what is read. */
  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  /** Bytes of scratch memory that all calls so far need. */
  get scratchBytes(): number {
    return this.#scratchBytes;
  }

  /** Sizes of axes along each of which all that the head reads goes evenly, and a result; undefined where there are none. */
  axesAlong(result: Broadcast, count: number): number[] | undefined {
    return commonAxes([result, ...this.#broadcasts], count);
  }

  /** Whether all that the last stages on the results read goes evenly along the rows and columns of the results. */
  goByBlocks(results: { readonly rows: number; readonly columns: number }): boolean {
    return this.#chain.sites.every((_, site) => goesByBlocks(this.#chain, site, this.#inputs, results));
  }

  /** Calls begin that find scratch memory empty. */
  begin(): void {
    this.#taken = this.#ofStages;
  }

  /** Where a block lies once the calls are done, until the next one is read, and bytes from one row to the next. */
  read(block: ElementBlock) {
    const { first, rows, columns, pitch } = block;
    if (!this.#head) return { calls: [], from: { input: 0, offset: 4 * first } as const, pitch: 4 * pitch };
    const from = this.#roomFor(4 * rows * columns);
    const [run, end] = [this.#run, first + rows * columns - 1];
    // Rows that follow one another, and so does all that the head reads, are one to it.
    const isRow = pitch === columns && Math.floor(first / run) === Math.floor(end / run);
    const given = isRow ? oneRow(first, rows * columns) : block;
    const scratch = { argument: from, pitch: 4 * given.columns };
    return { calls: headCalls(this.#head, this.#inputs, { ...given, scratch }), from, pitch: 4 * columns };
  }

  /** Where a block of the results of each site goes, and what is done with them then. */
  results(block: ElementBlock): { readonly to: readonly SimdArgument[]; readonly calls: readonly SimdCall[] } {
    const { first, rows, columns } = block;
    const sites = this.#chain.sites.map((_, site) => {
      const start = startOf(this.#chain, site);
      const to = start === 'scratch' ? this.keep(4 * rows * columns) : { ...start, offset: 4 * first };
      const scratch = { argument: to, pitch: 4 * columns };
      return { to, calls: callsOn(this.#chain, site, this.#inputs, { ...block, scratch }) };
    });
    return { to: sites.map(({ to }) => to), calls: sites.flatMap(({ calls }) => calls) };
  }

  /** Scratch memory until the next `begin`. */
  keep(bytes: number) {
    const place = this.#roomFor(bytes);
    this.#taken += LINE_BYTES * Math.ceil(bytes / LINE_BYTES);
    return place;
  }

  /** Scratch memory that is not kept. */
  #roomFor(bytes: number) {
    this.#scratchBytes = Math.max(this.#scratchBytes, this.#taken + bytes);
    return { scratch: true, offset: this.#taken } as const;
  }
}

/** Results side by side, as one row. */
export function oneRow(first: number, count: number): ElementBlock {
  return { first, rows: 1, columns: count, pitch: count };
}
