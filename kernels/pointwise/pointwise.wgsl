// pointwise.wgsl: functions of one value and their derivatives: stages (lib/fusion/stage.ts) of elementwise.wgsl and of
// other kernels. Joined behind common.wgsl.
//
// Each is f(x) with up to two parameters (a slope, bounds); `<name>Derivative` is df/dx at x. At a kink the derivative is
// PyTorch's: relu 0 at 0, leakyRelu the slope at 0, relu6 0 at 0 and 6, abs 0 at 0.
// Formulas in words and sources: lib/ops/pointwise/math.ts and lib/ops/pointwise/activations.ts, which are also the references.
// Selections stand where max() and clamp() would do, because those may lose a NaN: of bits, where it must come through.

fn negate(x: f32) -> f32 { return -x; }
fn negateDerivative(x: f32) -> f32 { return -1.0; }

fn exponential(x: f32) -> f32 { return expOf(x); }
fn exponentialDerivative(x: f32) -> f32 { return expOf(x); }

fn logarithm(x: f32) -> f32 { return logOf(x); }
fn logarithmDerivative(x: f32) -> f32 { return 1.0 / x; }

fn squareRoot(x: f32) -> f32 { return valueOrNan(sqrt(x), !isNegative(x)); }
fn squareRootDerivative(x: f32) -> f32 { return 0.5 / sqrt(x); }

fn absolute(x: f32) -> f32 { return abs(x); }
fn absoluteDerivative(x: f32) -> f32 { return sign(x); }

fn square(x: f32) -> f32 { return x * x; }
fn squareDerivative(x: f32) -> f32 { return 2.0 * x; }

fn reciprocal(x: f32) -> f32 { return 1.0 / x; }
fn reciprocalDerivative(x: f32) -> f32 { return -1.0 / (x * x); }

fn clampTo(x: f32, low: f32, high: f32) -> f32 {
  let raised = select(x, low, x < low);
  return selectBits(select(raised, high, raised > high), x, isNan(x));
}
fn clampToDerivative(x: f32, low: f32, high: f32) -> f32 {
  return select(0.0, 1.0, x >= low && x <= high);
}

fn relu(x: f32) -> f32 { return selectBits(x, 0.0, isNegative(x)); }
fn reluDerivative(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0); }

fn relu6(x: f32) -> f32 { return clampTo(x, 0.0, 6.0); }
fn relu6Derivative(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0 && x < 6.0); }

fn leakyRelu(x: f32, slope: f32) -> f32 { return selectBits(x, slope * x, isNegative(x)); }
fn leakyReluDerivative(x: f32, slope: f32) -> f32 { return select(slope, 1.0, x > 0.0); }

fn elu(x: f32, alpha: f32) -> f32 { return selectBits(x, alpha * (expOf(x) - 1.0), isNegative(x)); }
fn eluDerivative(x: f32, alpha: f32) -> f32 { return select(1.0, alpha * expOf(x), x <= 0.0); }

fn sigmoid(x: f32) -> f32 { return selectBits(1.0 / (1.0 + exp(-x)), x, isNan(x)); }
fn sigmoidDerivative(x: f32) -> f32 {
  let y = sigmoid(x);
  return y * (1.0 - y);
}

fn hyperbolicTangent(x: f32) -> f32 { return tanhOf(x); }
fn hyperbolicTangentDerivative(x: f32) -> f32 {
  let y = tanhOf(x);
  return 1.0 - y * y;
}

fn silu(x: f32) -> f32 { return x * sigmoid(x); }
fn siluDerivative(x: f32) -> f32 {
  let s = sigmoid(x);
  return s * (1.0 + x * (1.0 - s));
}

// log(1 + exp(x)), written so that exp never overflows; above 20 it is x to float32's last place (PyTorch's threshold).
fn softplus(x: f32) -> f32 {
  return selectBits(relu(x) + log(1.0 + expOf(-abs(x))), x, isNan(x) || x > 20.0);
}
fn softplusDerivative(x: f32) -> f32 { return sigmoid(x); }

fn hardswish(x: f32) -> f32 { return x * clampTo(x + 3.0, 0.0, 6.0) / 6.0; }
fn hardswishDerivative(x: f32) -> f32 {
  return select(select(x / 3.0 + 0.5, 1.0, x > 3.0), 0.0, x < -3.0);
}

// Error function: Abramowitz & Stegun 7.1.26, absolute error below 1.5e-7.
fn errorFunction(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - series * exp(-x * x));
}

const INVERSE_SQRT_2 = 0.70710678;
const INVERSE_SQRT_2_PI = 0.39894228;

fn gelu(x: f32) -> f32 { return 0.5 * x * (1.0 + errorFunction(x * INVERSE_SQRT_2)); }
fn geluDerivative(x: f32) -> f32 {
  let density = INVERSE_SQRT_2_PI * exp(-0.5 * x * x);
  return 0.5 * (1.0 + errorFunction(x * INVERSE_SQRT_2)) + x * density;
}

const SQRT_2_OVER_PI = 0.79788456;

fn geluTanh(x: f32) -> f32 {
  return 0.5 * x * (1.0 + tanhOf(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
}
fn geluTanhDerivative(x: f32) -> f32 {
  let t = tanhOf(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
  let inner = SQRT_2_OVER_PI * (1.0 + 3.0 * 0.044715 * x * x);
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner;
}

// dy · f'(x) for such a slope f'(x); 0 where the slope is, whatever dy is (Inf too), as a threshold does.
fn chainRule(slope: f32, dy: f32) -> f32 {
  return selectBits(dy * slope, 0.0, isZero(slope));
}
