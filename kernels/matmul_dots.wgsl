// matmul_dots.wgsl: C = A · Bᵀ, where rows of both run along k: a quad of invocations computes 8 x 8 dot products, each
// invocation every fourth step of k, straight from storage. Joined behind `enable subgroups;`, common.wgsl,
// matmul_common.wgsl and matmul_scalar_loads.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[n, k], f32
// Bindings    0 a [.., M, K] read   1 b [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                         k 0123 0123 …
//      8 rows of A          ┌────┬────┬      Invocation p of a quad adds up the products of k = p, p + 4, …: the four read
//      8 rows of B          │p   │p   │      neighbouring elements, and nothing is exchanged in the loop. In the end the
//                           └────┴────┴      quad adds its four sums, and invocation p stores columns p and 4 + p.
// Launch      workgroup 8 x 1, two quads side by side; ⌈N/16⌉ · ⌈M/8⌉ · batch · parts workgroups in one row, folded at
//             65,535
// Cost        four steps of k: 2 · 8 · 8 = 128 flop an invocation for 8 loads of A and 8 of B, 64 B: 2 flop/B; in the end
//             2 · 64 exchanges in the quad
// For         a candidate for tuning on adapters that run on the CPU, where invocations are lanes of SIMD registers: all loads
//             are of consecutive elements. Not the default: it was not faster than matmul_broadcast.wgsl where both were timed
// Edges       beyond M and N the last row is computed once more and not stored; behind the last k zeros are added
// Reference   lib/ops/matmul.ts

// Four quarters of 8 x 8 sums; a column of a matrix is a row of C, as the constructor wants it.
struct Sums {
  upperLeft: mat4x4f,
  upperRight: mat4x4f,
  lowerLeft: mat4x4f,
  lowerRight: mat4x4f,
}

fn outerProduct(a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
}

fn multiplyAdd(sums: ptr<function, Sums>, upper: vec4f, lower: vec4f, left: vec4f, right: vec4f) {
  (*sums).upperLeft += outerProduct(upper, left);
  (*sums).upperRight += outerProduct(upper, right);
  (*sums).lowerLeft += outerProduct(lower, left);
  (*sums).lowerRight += outerProduct(lower, right);
}

fn addTo(totals: ptr<function, Sums>, sums: Sums) {
  (*totals).upperLeft += sums.upperLeft;
  (*totals).upperRight += sums.upperRight;
  (*totals).lowerLeft += sums.lowerLeft;
  (*totals).lowerRight += sums.lowerRight;
}

// Where eight rows of A and of B begin, and the column of C that the first one of B makes.
struct Rows {
  upper: vec4u,
  lower: vec4u,
  left: vec4u,
  right: vec4u,
  column: u32,
}

fn elementsOfB(rows: vec4u, column: u32, k: u32) -> vec4f {
  let values = inFourRowsOfB(rows, k);
  if (SUM_COLUMNS > 0u) {
    return select(values, vec4f(1.0), column + vec4u(0u, 1u, 2u, 3u) >= vec4u(size.N));
  }
  return values;
}

fn addProducts(sums: ptr<function, Sums>, rows: Rows, k: u32) {
  multiplyAdd(
    sums,
    inFourRowsOfA(rows.upper, k),
    inFourRowsOfA(rows.lower, k),
    elementsOfB(rows.left, rows.column, k),
    elementsOfB(rows.right, rows.column + 4u, k),
  );
}

// The same where some invocations may be behind the last step of k.
fn addLastProducts(sums: ptr<function, Sums>, rows: Rows, k: u32, end: u32) {
  let isInside = vec4<bool>(k < end);
  let last = min(k, end - 1u);
  multiplyAdd(
    sums,
    select(vec4f(), inFourRowsOfA(rows.upper, last), isInside),
    select(vec4f(), inFourRowsOfA(rows.lower, last), isInside),
    select(vec4f(), elementsOfB(rows.left, rows.column, last), isInside),
    select(vec4f(), elementsOfB(rows.right, rows.column + 4u, last), isInside),
  );
}

fn sumOfQuad(value: vec4f) -> vec4f {
  let pair = value + quadSwapX(value);
  return pair + quadSwapY(pair);
}

@compute @workgroup_size(8)
fn matmulDots(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 8u, 16u);
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let K = size.K;
  let place = lane % 4u;
  let row = tile.row * 8u;
  let column = tile.column * 16u + lane / 4u * 8u;
  let rows = Rows(
    fourRowsOfA(tile.startA, edge(row, size.M), K),
    fourRowsOfA(tile.startA, edge(row + 4u, size.M), K),
    fourRowsOfB(tile.startB, edge(column, size.N), K),
    fourRowsOfB(tile.startB, edge(column + 4u, size.N), K),
    column,
  );
  var totals = Sums();
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    let end = min(block + BLOCK, tile.endK);
    var sums = Sums();
    var k = block;
    for (; k + 16u <= end; k += 16u) {
      addProducts(&sums, rows, k + place);
      addProducts(&sums, rows, k + 4u + place);
      addProducts(&sums, rows, k + 8u + place);
      addProducts(&sums, rows, k + 12u + place);
    }
    for (; k < end; k += 4u) {
      addLastProducts(&sums, rows, k + place, end);
    }
    addTo(&totals, sums);
  }
  let upperLeft = totals.upperLeft;
  let upperRight = totals.upperRight;
  let lowerLeft = totals.lowerLeft;
  let lowerRight = totals.lowerRight;
  var quads = array<vec4f, 16>(
    sumOfQuad(upperLeft[0]), sumOfQuad(upperRight[0]), sumOfQuad(upperLeft[1]), sumOfQuad(upperRight[1]),
    sumOfQuad(upperLeft[2]), sumOfQuad(upperRight[2]), sumOfQuad(upperLeft[3]), sumOfQuad(upperRight[3]),
    sumOfQuad(lowerLeft[0]), sumOfQuad(lowerRight[0]), sumOfQuad(lowerLeft[1]), sumOfQuad(lowerRight[1]),
    sumOfQuad(lowerLeft[2]), sumOfQuad(lowerRight[2]), sumOfQuad(lowerLeft[3]), sumOfQuad(lowerRight[3]),
  );
  beginStages();
  for (var i = 0u; i < 16u; i++) {
    storeElement(tile.matrix, row + i / 2u, column + i % 2u * 4u + place, quads[i][place]);
  }
}
