import type { Attributes, Call, NumericArray, Operation } from '../../lib/graph/operation.js';
import { heapWords, type SimdArgument } from '../../lib/graph/simd.js';
import { sizeOf } from '../../lib/shape.js';
import { arrayOf } from '../../lib/tensor.js';
import { packBytes } from './guarded.js';
import { callSimd, memory } from './simd-call.js';

/** Words before and behind each tensor, the scratch memory and the shared memory. */
const GUARD_WORDS = 256;
const GUARD = 0xdeadbeef;
/** A NaN around every input and in the scratch and shared memory: what reads it shows in the results. */
const POISON = 0x7fc00bad;
const ALIGNED_WORDS = 16;

/** What the kernels of an operation left behind. */
export interface SimdRun {
  readonly results: readonly NumericArray[];
  /** Whose guard words were overwritten: `output 0`, `scratch`, `shared`. */
  readonly broken: readonly string[];
}

/**
 * Runs the SIMD kernels of an operation without a device, its tasks in the opposite order and each in new scratch memory of
 * just the bytes that were asked for; undefined where the reference runs.
 */
export function runSimdGuarded<A extends Attributes>(
  operation: Pick<Operation<A>, 'simd' | 'writes'>,
  call: Call<A>,
  values: readonly NumericArray[],
): SimdRun | undefined {
  const { inputs, outputs } = call;
  const isEmpty = outputs.every(({ shape }) => sizeOf(shape) === 0);
  const phases = isEmpty ? [] : operation.simd?.(call);
  if (!phases) return undefined;

  let end = 0;
  /** [guard | words | guard], not filled up to anything. */
  const place = (count: number): Span => {
    const start = ALIGNED_WORDS * Math.ceil((end + GUARD_WORDS) / ALIGNED_WORDS);
    end = start + count + GUARD_WORDS;
    return { start, stop: start + count };
  };
  const most = (bytes: readonly number[]): Span => place(Math.ceil(Math.max(0, ...bytes) / 4));
  const sources = inputs.map((input) => place(heapWords(input)));
  const targets = outputs.map((output, i) => sources[operation.writes?.[i] ?? -1] ?? place(heapWords(output)));
  const scratch = most(phases.map(({ scratchBytes = 0 }) => scratchBytes));
  const shared = most(phases.map(({ sharedBytes = 0 }) => sharedBytes));

  const missing = 4 * end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
  const words = new Uint32Array(memory.buffer);
  words.fill(GUARD, 0, end);
  for (const [i, { start, stop }] of sources.entries()) {
    if (!operation.writes?.includes(i)) words.fill(POISON, start - GUARD_WORDS, stop + GUARD_WORDS);
    const own = values[i];
    if (own instanceof Uint8Array) words.set(packBytes(own), start);
    else if (own) words.set(new Uint32Array(own.buffer, own.byteOffset, own.length), start);
  }
  words.fill(POISON, shared.start, shared.stop);

  const address = (argument: SimdArgument): number => {
    if (typeof argument === 'number') return argument;
    const span =
      'scratch' in argument
        ? scratch
        : 'shared' in argument
          ? shared
          : 'input' in argument
            ? sources[argument.input]
            : targets[argument.output];
    return 4 * (span?.start ?? NaN) + (argument.offset ?? 0);
  };
  for (const { tasks } of phases) {
    for (const task of [...tasks].reverse()) {
      words.fill(POISON, scratch.start, scratch.stop);
      for (const each of task) callSimd(each.kernel, each.arguments.map(address));
    }
  }

  const isBroken = ({ start, stop }: Span): boolean =>
    words.subarray(start - GUARD_WORDS, start).some((word) => word !== GUARD) ||
    words.subarray(stop, stop + GUARD_WORDS).some((word) => word !== GUARD);
  const written = [
    ...targets.map((span, i) => [`output ${i}`, span] as const),
    ...([['scratch', scratch], ['shared', shared]] as const), // prettier-ignore
  ];
  const results = outputs.map(({ shape, dtype }, i) => {
    const own = words.slice(targets[i]?.start, targets[i]?.stop);
    if (dtype === 'u8') return new Uint8Array(own.buffer, 0, sizeOf(shape));
    return dtype === 'f32' || dtype === 'f16' ? new Float32Array(own.buffer) : arrayOf(dtype, own);
  });
  return { results, broken: written.flatMap(([name, span]) => (isBroken(span) ? [name] : [])) };
}

interface Span {
  readonly start: number;
  readonly stop: number;
}
