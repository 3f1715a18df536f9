;; pointwise.wat: functions of four values, for unary.wat and unary_gradient.wat. Joined behind exponential.wat.
;;
;; Formulas in words and sources: lib/ops/pointwise/math.ts and lib/ops/pointwise/activations.ts, which are also the references.
;; Accuracy   sigmoid, tanh, elu, softplus and silu to 3 units of the last place; gelu to 6e-7 absolute from -4 to 4
;; Edges      pmax(x, bound) = x < bound ? bound : x, and pmin alike: a NaN stays, and so does the sign of a 0
;; Source     erf: Abramowitz & Stegun 7.1.26

  (func $elu (param $x v128) (param $alpha v128) (result v128)
    (v128.bitselect
      (local.get $x)
      (f32x4.mul (local.get $alpha) (call $expMinusOne (local.get $x)))
      (f32x4.gt (local.get $x) (f32x4.splat (f32.const 0)))))

  (func $eluDerivative (param $x v128) (param $alpha v128) (result v128)
    (v128.bitselect
      (f32x4.splat (f32.const 1))
      (f32x4.mul (local.get $alpha) (call $exp (local.get $x)))
      (f32x4.gt (local.get $x) (f32x4.splat (f32.const 0)))))

  (func $sigmoid (param $x v128) (result v128)
    (f32x4.div
      (f32x4.splat (f32.const 1))
      (f32x4.add (f32x4.splat (f32.const 1)) (call $exp (f32x4.neg (local.get $x))))))

  (func $sigmoidDerivative (param $x v128) (result v128)
    (local $y v128)
    (local.set $y (call $sigmoid (local.get $x)))
    (f32x4.mul (local.get $y) (f32x4.sub (f32x4.splat (f32.const 1)) (local.get $y))))

  ;; With e = e^(-2|x|) - 1: tanh |x| = -e / (2 + e), and the sign of x. Exact to the last places near 0 as well.
  (func $tanh (param $x v128) (result v128)
    (local $e v128)
    (local.set $e (call $expMinusOne (f32x4.mul (f32x4.abs (local.get $x)) (f32x4.splat (f32.const -2)))))
    (v128.bitselect
      (f32x4.div (local.get $e) (f32x4.add (f32x4.splat (f32.const 2)) (local.get $e)))
      (local.get $x)
      (i32x4.splat (i32.const 0x7fffffff))))

  (func $tanhDerivative (param $x v128) (result v128)
    (local $y v128)
    (local.set $y (call $tanh (local.get $x)))
    (f32x4.sub (f32x4.splat (f32.const 1)) (f32x4.mul (local.get $y) (local.get $y))))

  (func $siluDerivative (param $x v128) (result v128)
    (local $s v128)
    (local.set $s (call $sigmoid (local.get $x)))
    (f32x4.mul (local.get $s)
      (f32x4.add (f32x4.splat (f32.const 1))
        (f32x4.mul (local.get $x) (f32x4.sub (f32x4.splat (f32.const 1)) (local.get $s))))))

  ;; max(x, 0) + log(1 + e^-|x|); above 20 it is x.
  (func $softplus (param $x v128) (result v128)
    (v128.bitselect
      (local.get $x)
      (f32x4.add (f32x4.pmax (local.get $x) (f32x4.splat (f32.const 0))) (call $logOnePlusExp (local.get $x)))
      (f32x4.gt (local.get $x) (f32x4.splat (f32.const 20)))))

  (func $hardswishDerivative (param $x v128) (result v128)
    (local $slope v128)
    (local.set $slope
      (f32x4.add (f32x4.div (local.get $x) (f32x4.splat (f32.const 3))) (f32x4.splat (f32.const 0.5))))
    (local.set $slope
      (v128.andnot (local.get $slope) (f32x4.lt (local.get $x) (f32x4.splat (f32.const -3)))))
    (v128.bitselect
      (f32x4.splat (f32.const 1))
      (local.get $slope)
      (f32x4.gt (local.get $x) (f32x4.splat (f32.const 3)))))

  ;; (1 + erf(x / √2)) / 2: the normal distribution function Φ. bell is e^(-x²/2).
  (func $normalDistribution (param $x v128) (param $bell v128) (result v128)
    (local $t v128)
    (local.set $t
      (f32x4.div (f32x4.splat (f32.const 1))
        (f32x4.add (f32x4.splat (f32.const 1))
          (f32x4.mul (f32x4.splat (f32.const 0.231641888)) (f32x4.abs (local.get $x))))))
    ;; Half of 1 - erf(|x| / √2), which is small: Φ of -|x|.
    (local.set $t
      (f32x4.mul (f32x4.mul (local.get $bell) (local.get $t))
        (f32x4.add (f32x4.splat (f32.const 0.127414796))
          (f32x4.mul (local.get $t)
            (f32x4.add (f32x4.splat (f32.const -0.142248368))
              (f32x4.mul (local.get $t)
                (f32x4.add (f32x4.splat (f32.const 0.7107068705))
                  (f32x4.mul (local.get $t)
                    (f32x4.add (f32x4.splat (f32.const -0.7265760135))
                      (f32x4.mul (local.get $t) (f32x4.splat (f32.const 0.5307027145))))))))))))
    (v128.bitselect
      (f32x4.sub (f32x4.splat (f32.const 1)) (local.get $t))
      (local.get $t)
      (f32x4.gt (local.get $x) (f32x4.splat (f32.const 0)))))

  (func $bell (param $x v128) (result v128)
    (call $exp
      (f32x4.mul (f32x4.mul (local.get $x) (local.get $x)) (f32x4.splat (f32.const -0.5)))))

  (func $gelu (param $x v128) (result v128)
    (f32x4.mul (local.get $x) (call $normalDistribution (local.get $x) (call $bell (local.get $x)))))

  ;; Φ(x) + x · e^(-x²/2) / √(2π)
  (func $geluDerivative (param $x v128) (result v128)
    (local $bell v128)
    (local.set $bell (call $bell (local.get $x)))
    (f32x4.add
      (call $normalDistribution (local.get $x) (local.get $bell))
      (f32x4.mul (f32x4.mul (local.get $x) (local.get $bell)) (f32x4.splat (f32.const 0.3989422804)))))

  ;; tanh(√(2/π) · (x + 0.044715 x³))
  (func $geluInner (param $x v128) (result v128)
    (call $tanh
      (f32x4.mul (f32x4.mul (local.get $x) (f32x4.splat (f32.const 0.7978845608)))
        (f32x4.add (f32x4.splat (f32.const 1))
          (f32x4.mul (f32x4.mul (local.get $x) (local.get $x)) (f32x4.splat (f32.const 0.044715)))))))

  (func $geluTanh (param $x v128) (result v128)
    (f32x4.mul (f32x4.mul (local.get $x) (f32x4.splat (f32.const 0.5)))
      (f32x4.add (f32x4.splat (f32.const 1)) (call $geluInner (local.get $x)))))

  ;; (1 + t) / 2 + x/2 · (1 - t²) · √(2/π) · (1 + 3 · 0.044715 x²)
  (func $geluTanhDerivative (param $x v128) (result v128)
    (local $t v128)
    (local.set $t (call $geluInner (local.get $x)))
    (f32x4.add
      (f32x4.mul (f32x4.splat (f32.const 0.5)) (f32x4.add (f32x4.splat (f32.const 1)) (local.get $t)))
      (f32x4.mul
        (f32x4.mul (local.get $x)
          (f32x4.sub (f32x4.splat (f32.const 1)) (f32x4.mul (local.get $t) (local.get $t))))
        (f32x4.mul (f32x4.splat (f32.const 0.3989422804))
          (f32x4.add (f32x4.splat (f32.const 1))
            (f32x4.mul (f32x4.mul (local.get $x) (local.get $x)) (f32x4.splat (f32.const 0.134145))))))))
