// conv2d_pixels.wgsl: where the pixels of a parity lie in the picture (conv2d_turned.wgsl): in place of the block `rows` of
// matmul_common.wgsl.
//
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/convolution/conv2d-taps.ts

fn placedRow(row: u32) -> u32 {
  let line = row / WINDOWS_ACROSS;
  let h = FIRST_DOWN + line % WINDOWS_DOWN * STEP_DOWN;
  let w = FIRST_ACROSS + row % WINDOWS_ACROSS * STEP_ACROSS;
  return (line / WINDOWS_DOWN * PICTURE_HEIGHT + h) * PICTURE_WIDTH + w;
}
