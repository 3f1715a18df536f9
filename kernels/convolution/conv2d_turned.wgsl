// conv2d_turned.wgsl: the window of a convolution, turned around, for its input gradient: what matmul_rows.wgsl (as
// rows of B), conv2d_quad_filters.wgsl and conv2d_pixels.wgsl have in common. Joined behind conv2d_matrix.wgsl.
//
// Rule        An element of the picture gets a gradient from each window that lies over it: with p · stride + r · dilation -
//             top = h, from output p by tap r. Taps from the last one to the first are outputs from the first to the last:
//             so the gradient is a convolution of the output's gradient with the window turned around.
//             At stride t and dilation d only the taps with r · d ≡ h + top (mod t) meet a window, the same ones for all h of
//             one residue: every t/g-th, g = gcd(t, d), which are d/g outputs apart, or none. So the pixels fall into t²
//             parities, each with a convolution of its own; here t = 2, d = 1:
//
//               pixels  a b a b      taps (r, s) of a 3 x 3 window: a by (0,0) (0,2) (2,0) (2,2), b by (0,1) (2,1),
//                       c d c d      c by (1,0) (1,2), d by (1,1): nine in all, as many as a pixel has without stride
//                       a b a b
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/convolution/conv2d-taps.ts

// The weight [O, KERNEL_HEIGHT, KERNEL_WIDTH, C]; the last taps of the parity, and how far one is from the next.
override KERNEL_HEIGHT: u32 = 1;
override KERNEL_WIDTH: u32 = 1;
override LAST_DOWN: u32 = 0;
override LAST_ACROSS: u32 = 0;
override TAP_STEP_DOWN: u32 = 1;
override TAP_STEP_ACROSS: u32 = 1;
// The picture whose gradient it is, the first pixel of the parity, and how far one is from the next.
override PICTURE_HEIGHT: u32 = 1;
override PICTURE_WIDTH: u32 = 1;
override FIRST_DOWN: u32 = 0;
override FIRST_ACROSS: u32 = 0;
override STEP_DOWN: u32 = 1;
override STEP_ACROSS: u32 = 1;

// The filter (o, r, s), counted in the weight, of a step k = (r', s', o).
fn turnedFilter(k: u32) -> u32 {
  let tap = k / CHANNELS;
  return turnedTap(k % CHANNELS, tap / TAPS_ACROSS, tap % TAPS_ACROSS);
}

fn turnedTap(o: u32, down: u32, across: u32) -> u32 {
  let r = LAST_DOWN - down * TAP_STEP_DOWN;
  let s = LAST_ACROSS - across * TAP_STEP_ACROSS;
  return (o * KERNEL_HEIGHT + r) * KERNEL_WIDTH + s;
}
