/** WebGPU's numbers for what buffers are used for, which Node has no globals for. */
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const UNIFORM = 0x40;
export const STORAGE = 0x80;

/** Of `mapAsync`. */
export const READ = 1;

/** Of a bind group layout: the stage that sees a buffer. */
export const COMPUTE = 4;
