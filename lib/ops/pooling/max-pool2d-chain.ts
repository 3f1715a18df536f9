import { elementAt } from '../../element-at.js';
import { type Chain, type Host, hostInputs, outputsOfChain } from '../../fusion/chain.js';
import { finishOf, goesByBlocks, headCalls, headGoesByBlocks, scratchOfStages } from '../../fusion/simd-calls.js';
import type { ArrayView, Operation, TensorSpec } from '../../graph/operation.js';
import type { SimdKernel, SimdPhase } from '../../graph/simd.js';
import { type Shape, sizeOf } from '../../shape.js';
import { spanOf } from '../convolution/window.js';
import { BLOCK_ELEMENTS, rowParts, tasksOf } from '../simd-parts.js';
import { type PoolAttributes, windowArguments } from './pool-window.js';

/** What maxPool2d gives, the largest elements and their places; stages go on with the first. */
const [LARGEST, PLACES] = [0, 1];

/**
 * A max pooling on the CPU as a chain, block by block: what stages make of a picture, such as a batch norm, is pooled in
 * scratch memory and never stored; an activation goes on with what comes out.
 */
export function maxPool2dChain(kernel: SimdKernel, operation: Operation, attributes: PoolAttributes): Chain {
  const shapesOf = (chain: Chain, inputs: readonly TensorSpec[]) => {
    const input = elementAt(hostInputs(chain, inputs), 0);
    const [largest, places] = operation.infer([input], attributes);
    return { picture: input.shape, largest: largest?.shape ?? [], places: places?.shape ?? [] };
  };
  const host: Host = {
    operation,
    accepts(chain, site, { inputs }, { kernels }) {
      const isStored = chain.sites[site]?.at(-1)?.operation.writes === undefined;
      const { largest } = shapesOf(chain, inputs);
      return kernels === 'simd' && site === LARGEST && isStored && goesByBlocks(chain, site, inputs, matrixOf(largest));
    },
    takesHead: (head, { inputs }, { kernels }) =>
      kernels === 'simd' && sizeOf(head.shape) > 0 && headGoesByBlocks(head, inputs, matrixOf(head.shape)),
    bindings: () => 1,
    reference(_chain, { inputs: [input] }) {
      const outputs = operation
        .infer([{ shape: input?.shape ?? [], dtype: 'f32' }], attributes)
        .map(({ shape, dtype }): ArrayView => ({
          shape,
          data: dtype === 'u32' ? new Uint32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)),
        }));
      operation.reference({ inputs: input ? [input] : [], outputs, attributes });
      return outputs;
    },
    kernel: (_chain, call, target) => operation.kernel(call, target),
    simd(chain, { inputs }): SimdPhase[] {
      const { picture, largest, places } = shapesOf(chain, inputs);
      const [N, H, W, C] = sizesOf(picture);
      const [, OH, OW] = sizesOf(largest);
      const [head] = chain.heads ?? [];
      const finish = finishOf(chain, LARGEST, inputs, C);
      const placesAt = outputsOfChain(chain).findIndex(({ site }) => site === PLACES);
      const ofStages = scratchOfStages([...(head?.links ?? []), ...(chain.sites[LARGEST] ?? [])]);
      const scratch = { argument: { scratch: true as const, offset: ofStages }, pitch: 4 * C };
      let scratchBytes = ofStages;
      const blocks = blocksOf([N, H, W, C], OH, attributes).map(
        ({ picture, pictures, row, rows, line, lines, top }) => {
          const first = (picture * H + line) * W * C;
          const elements = pictures * lines * W;
          const window = (picture * OH + row) * OW;
          if (head) scratchBytes = Math.max(scratchBytes, ofStages + 4 * elements * C);
          const staged = head ? headCalls(head, inputs, { rows: elements, columns: C, first, pitch: C, scratch }) : [];
          const from = head ? scratch.argument : { input: 0, offset: 4 * first };
          const to = [
            { output: LARGEST, offset: 4 * window * C },
            { output: placesAt, offset: 4 * window * elementAt(places, 3) },
          ];
          const sizes = { H: lines, W, C, OH: rows, OW };
          const padding = [top, ...attributes.padding.slice(1)];
          const pooled = {
            kernel,
            arguments: [from, ...to, 0, pictures * rows, ...windowArguments(sizes, { ...attributes, padding })],
          };
          const done = finish?.calls({ row: window, rows: pictures * rows * OW, column: 0, columns: C, scratch }) ?? [];
          return [...staged, pooled, ...done];
        },
      );
      return [{ tasks: tasksOf(blocks, sizeOf(picture)).map((calls) => calls.flat()), scratchBytes }];
    },
  };
  return { host, rows: [], sites: [[], []] };
}

function matrixOf(shape: Shape) {
  const [N, H, W, C] = sizesOf(shape);
  return { rows: N * H * W, columns: C };
}

function sizesOf(shape: Shape): readonly [N: number, H: number, W: number, C: number] {
  return [elementAt(shape, 0), elementAt(shape, 1), elementAt(shape, 2), elementAt(shape, 3)];
}

/** Some rows of windows of a picture, or of all of some pictures, and the lines that they lie in. */
interface Block {
  readonly picture: number;
  readonly pictures: number;
  readonly row: number;
  readonly rows: number;
  readonly line: number;
  readonly lines: number;
  /** Lines of padding above the first of them, as the first window sees it. */
  readonly top: number;
}

function blocksOf(
  [N, H, W, C]: ReturnType<typeof sizesOf>,
  OH: number,
  { kernel, stride: [stride = 1], dilation, padding: [top = 0] }: PoolAttributes,
): Block[] {
  const span = spanOf(elementAt(kernel, 0), elementAt(dilation, 0));
  return rowParts(N, H * W * C, BLOCK_ELEMENTS).flatMap(({ start: picture, count: pictures }) => {
    const whole = { picture, pictures, row: 0, rows: OH, line: 0, lines: H, top };
    if (pictures > 1) return [whole];
    return rowParts(OH, stride * W * C, BLOCK_ELEMENTS).map(({ start: row, count: rows }) => {
      const line = Math.max(row * stride - top, 0);
      const end = Math.min((row + rows - 1) * stride - top + span, H);
      return { ...whole, row, rows, line, lines: end - line, top: line - row * stride + top };
    });
  });
}
