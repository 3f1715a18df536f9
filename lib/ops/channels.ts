import { channelsFourWgsl, channelsOneWgsl } from '../generated/wgsl.js';
import type { DType } from '../graph/operation.js';
import { storedElementsCode } from './stored-elements.js';

/** How kernels of pictures [.., C] read and write four channels at once: `input`, f32 or f16, at binding 0, `output` at binding 1. */
export function channelsWgsl(C: number, input: DType = 'f32'): string {
  const isFour = C % 4 === 0;
  return storedElementsCode('Input', 0, input, isFour ? 4 : 1) + (isFour ? channelsFourWgsl : channelsOneWgsl);
}
