/** A block of machine code: what runs from one label or branch to the next. */
export interface Block {
  /** Those that only wait apart. */
  readonly instructions: number;
  /** Of floats; one that does two of them counts twice. */
  readonly multiplyAdds: number;
  readonly workgroupReads: number;
  /** Accesses of memory of an invocation's own: spilled registers, and arrays that are indexed at run time. */
  readonly stackAccesses: number;
  /** How many loops it lies in. */
  readonly depth: number;
}

/** What a compiler made of a kernel. */
export interface MachineCode {
  /** Registers of 32 bits an invocation; undefined where a thread always has all (Intel). */
  readonly registers: number | undefined;
  /** Registers that were moved to memory and back: how many times the listing does so (AMD: how many registers). */
  readonly spills: number;
  /** Bytes an invocation of memory of its own; undefined where the listing does not say (Intel). */
  readonly scratchBytes: number | undefined;
  /** Invocations that go together: a wave, a warp, a thread's lanes. */
  readonly lanes: number;
  /** Waves a SIMD (AMD), or warps a multiprocessor (NVIDIA, by registers alone), of `mostWaves`; undefined where it is fixed. */
  readonly waves: number | undefined;
  readonly mostWaves: number | undefined;
  readonly instructions: number;
  readonly hot: Block;
}

/** A multiply-add here and there makes no block the one that counts. */
const FEW_MULTIPLY_ADDS = 8;

/** A block that a listing was read into, before it is known which loops it lies in. */
export type PlainBlock = Omit<Block, 'depth'>;

/** A branch from a block to an earlier one, or to itself: a loop. */
export interface BackEdge {
  readonly from: number;
  readonly to: number;
}

/**
 * The block in which the kernel spends its time: the one with the most multiply-adds; where there are few, the longest one
 * of the innermost loops, or of the whole where nothing loops.
 */
export function hotBlock(blocks: readonly PlainBlock[], loops: readonly BackEdge[]): Block {
  const weight = ({ multiplyAdds, depth, instructions }: Block): readonly number[] => [
    multiplyAdds >= FEW_MULTIPLY_ADDS ? multiplyAdds : 0,
    depth,
    instructions,
  ];
  const nested = blocks.map((block, i): Block => ({
    ...block,
    depth: loops.filter(({ from, to }) => to <= i && i <= from).length,
  }));
  const [hottest] = nested.sort((a, b) => compare(weight(b), weight(a)));
  if (!hottest) throw new Error('a listing without a block');
  return hottest;
}

/** As numbers of several digits, the first one the highest. */
function compare(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((value, i) => value !== b[i]);
  return first < 0 ? 0 : (a[first] ?? 0) - (b[first] ?? 0);
}

/** How many lines match. */
export function count(lines: readonly string[], pattern: RegExp): number {
  return lines.filter((line) => pattern.test(line)).length;
}

/** The number behind the words of a listing. Throws where the listing does not have them. */
export function numberAfter(words: string, lines: readonly string[]): number {
  const line = lines.findLast((each) => each.startsWith(`${words}: `));
  const value = Number(line?.slice(words.length + 2));
  if (line === undefined || Number.isNaN(value)) throw new Error(`a listing without '${words}: '`);
  return value;
}
