import { channelsFourWgsl, channelsOneWgsl } from '../generated/wgsl.js';

/** How kernels of pictures [.., C] read and write four channels at once: `input` at binding 0, `output` at binding 1. */
export function channelsWgsl(C: number): string {
  return C % 4 === 0 ? channelsFourWgsl : channelsOneWgsl;
}
