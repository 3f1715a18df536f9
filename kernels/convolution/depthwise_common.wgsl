// depthwise_common.wgsl: what depthwise.wgsl and depthwise_any.wgsl read and write. Joined in front of either, behind common.wgsl
// element_one.wgsl or element_four.wgsl, and stored_elements.wgsl for Source and Weight.
//
// Bindings    0 uniforms   1 source [N, V, U, C] (f32 or f16) read   2 weight [R, S, C] (f32 or f16) read   3 sums
//             [N, Y, X, C] write; with stages those of lib/fusion/glue.ts from 3 on

struct Sizes {
  invocations: u32,
  quads: u32, // Elements of a pixel
  tilesDown: u32, // or places, of depthwise_any.wgsl
  tilesAcross: u32,
  targetHeight: u32,
  targetWidth: u32,
  sourceHeight: u32,
  sourceWidth: u32,
  words: array<vec4u, WORD_QUADS>, // numbers that stages need
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

// begin stages
const WORD_QUADS = 1u;

@group(0) @binding(3) var<storage, read_write> sums: array<Element>;

fn beginStages() {
}

fn put(given: Element, index: u32, channel: u32) {
  sums[index / WIDTH] = given;
}
// end stages
