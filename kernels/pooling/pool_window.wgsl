// pool_window.wgsl: which windows of a picture lie where. Joined with the kernels of pooling, of which an invocation computes
// four channels of a place of the pictures [N, height, width, C], or of the windows [N, rows, columns, C] that move over them.
//
// Computes    y = row · STRIDE_HEIGHT + i · DILATION_HEIGHT - top    where place i of the window of that row stands; x likewise
// Reference   lib/ops/pooling/pool-window.ts

override KERNEL_HEIGHT: u32 = 2;
override KERNEL_WIDTH: u32 = 2;
override STRIDE_HEIGHT: u32 = 2;
override STRIDE_WIDTH: u32 = 2;
override DILATION_HEIGHT: u32 = 1;
override DILATION_WIDTH: u32 = 1;
// Windows at most that have a place of the picture, along each axis.
override WINDOWS_HEIGHT: u32 = ((KERNEL_HEIGHT - 1u) * DILATION_HEIGHT) / STRIDE_HEIGHT + 1u;
override WINDOWS_WIDTH: u32 = ((KERNEL_WIDTH - 1u) * DILATION_WIDTH) / STRIDE_WIDTH + 1u;

struct Uniforms {
  height: u32,
  width: u32,
  rows: u32,
  columns: u32,
  quads: u32,
  C: u32,
  count: u32, // invocations
  top: u32,
  left: u32,
  counted: vec4u, // padding that averages count: top, bottom, left, right
}

@group(0) @binding(2) var<uniform> uniforms: Uniforms;

struct Position {
  quad: u32,
  column: u32,
  row: u32,
  n: u32,
}

// Of an invocation, in pictures of so many rows and columns.
fn positionOf(invocation: u32, rows: u32, columns: u32) -> Position {
  let place = invocation / uniforms.quads;
  let line = place / columns;
  let n = line / rows;
  return Position(invocation - place * uniforms.quads, place - line * columns, line - n * rows, n);
}
