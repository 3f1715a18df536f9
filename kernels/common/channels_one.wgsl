// channels_one.wgsl: four channels at once of pictures [.., C], read from one tensor and written to another, whatever C is;
// channels_four.wgsl is its twin, and says what it is joined with.
//
// Bindings    1 output write; stored_elements.wgsl binds 0 input read
// Edges       channels beyond C are read as the last one, and are not written

@group(0) @binding(1) var<storage, read_write> output: array<f32>;

fn channelsOf(quad: u32) -> vec4u {
  return 4u * quad + vec4u(0u, 1u, 2u, 3u);
}

fn areChannels(quad: u32) -> vec4<bool> {
  return channelsOf(quad) < vec4u(uniforms.C);
}

fn inputAt(place: u32, quad: u32) -> vec4f {
  let at = place * uniforms.C + min(channelsOf(quad), vec4u(uniforms.C - 1u));
  return vec4f(storedInput(at.x), storedInput(at.y), storedInput(at.z), storedInput(at.w));
}

fn store(place: u32, quad: u32, value: vec4f) {
  let at = place * uniforms.C + channelsOf(quad);
  let exists = areChannels(quad);
  for (var channel = 0u; channel < 4u; channel++) {
    if (exists[channel]) {
      output[at[channel]] = value[channel];
    }
  }
}
