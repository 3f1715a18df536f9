// conv2d_pixels.wgsl: where the rows of a product lie in a result [pixels, groups, channels of a group]: in place of the block
// `rows` of matmul_common.wgsl. A template.
//
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel
// Variants    GROUPED: rows of one group follow each other in the product, those of a pixel in the result; PARITY: they are
//             the pixels of a parity (conv2d_turned.wgsl)
// Reference   lib/ops/convolution/conv2d-taps.ts

fn placedRow(row: u32) -> u32 {
  var pixel = row;
  // each once of GROUPED
  pixel = row % size.M;
  // end once
  // each once of PARITY
  let line = pixel / WINDOWS_ACROSS;
  let h = FIRST_DOWN + line % WINDOWS_DOWN * STEP_DOWN;
  let w = FIRST_ACROSS + pixel % WINDOWS_ACROSS * STEP_ACROSS;
  pixel = (line / WINDOWS_DOWN * PICTURE_HEIGHT + h) * PICTURE_WIDTH + w;
  // end once
  // each once of GROUPED
  pixel = pixel * GROUPS + row / size.M;
  // end once
  return pixel;
}
