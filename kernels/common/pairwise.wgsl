// pairwise.wgsl: the sum of values that one invocation meets one after the other, however many, added pairwise: of n values
// none passes through more than about log2(n) roundings. Joined where few of many values are picked.
//
// Method      bit l of the count says whether pairwiseSums[l] holds the sum of 2^l values; a further value is carried on, as in
//             counting
// Reference   lib/ops/moving/gather.ts

var<private> pairwiseSums: array<f32, 32>;
var<private> pairwiseCount: u32 = 0u;

fn addPairwise(value: f32) {
  var sum = value;
  var level = 0u;
  for (; ((pairwiseCount >> level) & 1u) == 1u; level++) {
    sum = pairwiseSums[level] + sum;
  }
  pairwiseSums[level] = sum;
  pairwiseCount++;
}

fn pairwiseTotal() -> f32 {
  var sum = 0.0;
  for (var level = 0u; level < 32u; level++) {
    if (((pairwiseCount >> level) & 1u) == 1u) {
      sum += pairwiseSums[level];
    }
  }
  return sum;
}
