// walk_two.wgsl: where an element lies in two tensors that are walked together, each with strides of its own. Joined with a
// kernel whose uniforms have
//
//     rank: u32, axes: array<vec4u, 6>    sizes, strides of the first and of the second tensor
//
// Cost        a division an axis but one: the outermost does not begin again

fn walked(position: u32) -> vec2u {
  var rest = position;
  var places = vec2u(0u);
  for (var axis = uniforms.rank; axis > 1u; axis--) {
    let quad = (axis - 1u) / 4u;
    let along = (axis - 1u) % 4u;
    let next = rest / uniforms.axes[quad][along];
    let index = rest - next * uniforms.axes[quad][along];
    places += index * vec2u(uniforms.axes[quad + 2u][along], uniforms.axes[quad + 4u][along]);
    rest = next;
  }
  return places + rest * vec2u(uniforms.axes[2].x, uniforms.axes[4].x);
}
