// channels_four.wgsl: four channels at once of pictures [.., C], read from one tensor and written to another, where C is
// divisible by four; channels_one.wgsl is its twin for other C. Joined behind stored_elements.wgsl for Input (f32 or f16), with a
// kernel whose uniforms have
//
//     quads: u32, C: u32    ⌈C / 4⌉ and C
//
// Bindings    1 output write; stored_elements.wgsl binds 0 input read

@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

// Which of four channels there are.
fn areChannels(quad: u32) -> vec4<bool> {
  return vec4<bool>(true);
}

fn inputAt(place: u32, quad: u32) -> vec4f {
  return storedInput(place * uniforms.quads + quad);
}

fn store(place: u32, quad: u32, value: vec4f) {
  output[place * uniforms.quads + quad] = value;
}
