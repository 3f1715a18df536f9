;; adam.wat: Adam and AdamW for the CPU device, WebAssembly SIMD: update_3.wat says how it is called.
;;
;; Computes    as adam.wgsl; 1 - beta^t by squaring, in double precision
;; Settings    beta2, epsilon, weightDecay, decoupled; beta1 stands in the state
;; Constants   k0 stepSize, k1 scale, k2 epsilon, k3 take1, k4 take2, k5 coupled, k6 shrink
;; Cost        28 B moved an element, 36 with amsgrad: bound by memory bandwidth
;; Reference   lib/optim/adam.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join update/update_constants.wat

  (func $power (param $base f64) (param $exponent i32) (result f64)
    (local $product f64)
    (local.set $product (f64.const 1))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $exponent)))
        (if (i32.and (local.get $exponent) (i32.const 1))
          (then (local.set $product (f64.mul (local.get $product) (local.get $base)))))
        (local.set $base (f64.mul (local.get $base) (local.get $base)))
        (local.set $exponent (i32.shr_u (local.get $exponent) (i32.const 1)))
        (br $next)))
    (local.get $product))

  (func $begin
    (param $state i32) (param $ahead i32) (param $beta2 f64) (param $epsilonValue f64)
    (param $weightDecay f64) (param $decoupled f64) (param f64) (param f64) (param f64)
    (local $t i32) (local $rate f64) (local $take f64)
    (local.set $t
      (i32.add (i32.add (i32.load offset=4 (local.get $state)) (local.get $ahead)) (i32.const 1)))
    (local.set $rate (f64.promote_f32 (f32.load (local.get $state))))
    (local.set $take (f64.promote_f32 (f32.load offset=8 (local.get $state))))
    (global.set $k0
      (call $splat
        (f64.div (local.get $rate)
          (f64.sub (f64.const 1) (call $power (f64.sub (f64.const 1) (local.get $take)) (local.get $t))))))
    (global.set $k1
      (call $splat
        (f64.div (f64.const 1)
          (f64.sqrt (f64.sub (f64.const 1) (call $power (local.get $beta2) (local.get $t)))))))
    (global.set $k2 (call $splat (local.get $epsilonValue)))
    (global.set $k3 (call $splat (local.get $take)))
    (global.set $k4 (call $splat (f64.sub (f64.const 1) (local.get $beta2))))
    (global.set $k5
      (call $splat (f64.mul (local.get $weightDecay) (f64.sub (f64.const 1) (local.get $decoupled)))))
    (global.set $k6
      (call $splat (f64.mul (local.get $rate) (f64.mul (local.get $weightDecay) (local.get $decoupled))))))

  ;; rows
  ;;   adam     (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k5) (local.get $p))))
  ;;            (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k6) (local.get $p))))
  ;;            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $k3) (f32x4.sub (local.get $g) (local.get $a)))))
  ;;            (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $k4) (f32x4.sub (f32x4.mul (local.get $g) (local.get $g)) (local.get $b)))))
  ;;            (local.set $p (f32x4.sub (local.get $p) (f32x4.div (f32x4.mul (local.get $k0) (local.get $a)) (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $b)) (local.get $k1)) (local.get $k2)))))

  ;; join update/update_2.wat

  ;; rows
  ;;   amsgrad  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k5) (local.get $p))))
  ;;            (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k6) (local.get $p))))
  ;;            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $k3) (f32x4.sub (local.get $g) (local.get $a)))))
  ;;            (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $k4) (f32x4.sub (f32x4.mul (local.get $g) (local.get $g)) (local.get $b)))))
  ;;            (local.set $c (f32x4.pmax (local.get $c) (local.get $b)))
  ;;            (local.set $p (f32x4.sub (local.get $p) (f32x4.div (f32x4.mul (local.get $k0) (local.get $a)) (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $c)) (local.get $k1)) (local.get $k2)))))

  ;; join update/update_3.wat
)
