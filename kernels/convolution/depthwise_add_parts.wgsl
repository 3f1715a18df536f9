// depthwise_add_parts.wgsl: the second launch of the gradient of a depthwise convolution's weight: the sum of its parts.
// Joined behind common.wgsl and element_one.wgsl or element_four.wgsl.
//
// Computes    weight[i] = Σ_p parts[p, i] for the Elements i of [R, S, C]
// Bindings    0 uniforms   1 parts [parts, R, S, C] read   2 weight, the gradient [R, S, C] write
// Launch      workgroup 64, LANES of them an Element, neighbours of which are read together; ⌈R · S · C · LANES / 64⌉
//             workgroups, folded at 65,535
// Memory      64 Elements: 1 KiB
// Cost        4 · (parts + 1) B an element, four loads of an invocation under way: bound by bandwidth, or by their latency
// Order       fixed by the sizes alone: the same bits in every run
// Reference   lib/ops/convolution/depthwise-operations.ts

override LANES: u32 = 8;

struct Sizes {
  elements: u32, // of the weight, in Elements
  parts: u32,
  partsOfLane: u32, // a multiple of four
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> parts: array<Element>;
@group(0) @binding(2) var<storage, read_write> weight: array<Element>;

var<workgroup> sums: array<Element, 64>;

@compute @workgroup_size(64)
fn depthwiseAddParts(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let together = 64u / LANES;
  let element = workgroupIndex(workgroupId, workgroups) * together + index % together;
  let first = index / together * sizes.partsOfLane;
  let end = select(0u, min(first + sizes.partsOfLane, sizes.parts), element < sizes.elements);
  let count = select(0u, end - first, first < end);
  let quads = count / 4u;
  var sum = Element();
  for (var quad = 0u; quad < quads; quad++) {
    let at = (first + 4u * quad) * sizes.elements + element;
    let a = parts[at] + parts[at + sizes.elements];
    let b = parts[at + 2u * sizes.elements] + parts[at + 3u * sizes.elements];
    sum += a + b;
  }
  for (var part = 4u * quads; part < count; part++) {
    sum += parts[(first + part) * sizes.elements + element];
  }
  if (LANES > 1u) {
    sums[index] = sum;
    workgroupBarrier();
    for (var lane = 1u; lane < LANES; lane++) {
      sum += sums[index % together + lane * together];
    }
  }
  if (index < together && element < sizes.elements) {
    weight[element] = sum;
  }
}
