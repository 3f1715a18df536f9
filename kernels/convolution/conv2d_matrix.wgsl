// conv2d_matrix.wgsl: the patches of pictures as a matrix that nobody stores, for the kernels of a matrix product. Joined
// behind matmul_common.wgsl, in front of conv2d_patches.wgsl or conv2d_quad_patches.wgsl.
//
// Computes    patches[m, k] = picture[n, p · stride + r · dilation - top, q · stride + s · dilation - left, c], 0 beside it,
//             with m = (n, p, q) a window and k = (r, s, c) a tap
//                                                   k = (r, s, c)
//             picture [N, SOURCE_HEIGHT, SOURCE_WIDTH, PIXEL]     ┌──────────────────┐
//             ┌───────────────┐                     │                  │     A window and a tap have each a place, and the
//             │  ┌──┬──┬──┐   │       m = (n, p, q) │      · · · ·     │     element of the matrix is at the sum of both:
//             │  │██│  │  │   │                     │                  │     so what belongs to a row or column is computed
//             │  ├──┼──┼──┤   │                     └──────────────────┘     once, and no padding becomes an address.
//             │  │  │  │  │   │
//             └──┴──┴──┴──┴───┘      The taps of a window's row lie side by side in memory, RUN = kernel width · CHANNELS of
//                                    them, where no dilation and no other group is between; else those of one place.
// Products    output [N·P·Q, O] = patches · weight [O, R·S·C]ᵀ, weight gradient [O, R·S·C] = outputᵀ · patches, and input
//             gradient [N·H·W, C] = patches of the output · weight turned around (conv2d_turned.wgsl)
// Groups      are the batch of the product. A group has CHANNELS of each pixel, from `start` on, and a pixel GROUPS times as
//             many; the rows of a result [pixels, GROUPS, channels of a group] are a group's own (conv2d_pixels.wgsl).
// Cost        2 · N · P · Q · O · R · S · C flop in each of the three, for 4 · (N·H·W·C + N·P·Q·O + O·R·S·C) B at the least.
//             3 x 3 with 64 channels at 56 x 56: 231 Mflop for 1.75 MB a picture, 132 flop/B: bound by arithmetic. An
//             element is read R · S / stride² times, by caches; tiles of 64 x 64 read 1 B for 16 flop of the product.
// Edges       h and x are compared as they are, without sign: what lies before the picture is beyond its end
// Divisions   are by constants of the pipeline, which compilers make multiplications of
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/convolution/conv2d-taps.ts

// The picture that is read, which may be the gradient of an output.
override SOURCE_HEIGHT: u32 = 1;
override SOURCE_WIDTH: u32 = 1;
override CHANNELS: u32 = 1; // of a group
override GROUPS: u32 = 1;
// The windows in it.
override WINDOWS_DOWN: u32 = 1;
override WINDOWS_ACROSS: u32 = 1;
override STRIDE_DOWN: u32 = 1;
override STRIDE_ACROSS: u32 = 1;
override TOP: u32 = 0;
override LEFT: u32 = 0;
// The taps of a window.
override TAPS_ACROSS: u32 = 1;
override DILATION_DOWN: u32 = 1;
override DILATION_ACROSS: u32 = 1;

override PIXEL: u32 = CHANNELS * GROUPS;
override ROW: u32 = SOURCE_WIDTH * PIXEL;
override RUNS_ACROSS: u32 = select(TAPS_ACROSS, 1u, DILATION_ACROSS == 1u && GROUPS == 1u);
override RUN: u32 = TAPS_ACROSS / RUNS_ACROSS * CHANNELS;

// A window or a tap, and an element of the matrix, which is at the sum of both.
struct Place {
  at: u32, // the element
  h: u32, // its row in the picture
  x: u32, // its place in the row, in elements
}

// The same for four.
struct FourPlaces {
  at: vec4u,
  h: vec4u,
  x: vec4u,
}

fn windowPlace(n: u32, p: u32, q: u32) -> Place {
  let h = p * STRIDE_DOWN - TOP;
  let x = (q * STRIDE_ACROSS - LEFT) * PIXEL;
  return Place((n * SOURCE_HEIGHT + h) * ROW + x, h, x);
}

fn windowAt(m: u32) -> Place {
  let row = m / WINDOWS_ACROSS;
  return windowPlace(row / WINDOWS_DOWN, row % WINDOWS_DOWN, m % WINDOWS_ACROSS);
}

fn tapAt(k: u32) -> Place {
  let run = k / RUN;
  let h = run / RUNS_ACROSS * DILATION_DOWN;
  let x = run % RUNS_ACROSS * DILATION_ACROSS * PIXEL + k % RUN;
  return Place(h * ROW + x, h, x);
}

fn four(a: Place, b: Place, c: Place, d: Place) -> FourPlaces {
  return FourPlaces(vec4u(a.at, b.at, c.at, d.at), vec4u(a.h, b.h, c.h, d.h), vec4u(a.x, b.x, c.x, d.x));
}

fn fourTaps(k: vec4u) -> FourPlaces {
  return four(tapAt(k.x), tapAt(k.y), tapAt(k.z), tapAt(k.w));
}

fn fourWindows(m: vec4u) -> FourPlaces {
  return four(windowAt(m.x), windowAt(m.y), windowAt(m.z), windowAt(m.w));
}

// Whether there is such an element.
fn isInPicture(h: u32, x: u32) -> bool {
  return h < SOURCE_HEIGHT && x < ROW;
}

fn areInPicture(h: vec4u, x: vec4u) -> vec4<bool> {
  return (h < vec4u(SOURCE_HEIGHT)) & (x < vec4u(ROW));
}
