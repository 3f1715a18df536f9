;; rmsprop.wat: RMSprop for the CPU device, WebAssembly SIMD: update_3.wat says how it is called.
;;
;; Computes    as rmsprop.wgsl; the slots are v, then b where there is momentum, then a where it is centered
;; Settings    1 - alpha, epsilon, weightDecay; the momentum stands in the state
;; Constants   k0 rate, k1 take, k2 epsilon, k3 decay, k4 keep
;; Cost        20 B moved an element, 8 more with momentum and 8 more if centered: bound by memory bandwidth
;; Reference   lib/optim/rmsprop.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join update/update_constants.wat

  (func $begin
    (param $state i32) (param $ahead i32) (param $taken f64) (param $epsilonValue f64) (param $weightDecay f64)
    (param f64) (param f64) (param f64) (param f64)
    (global.set $k0 (v128.load32_splat (local.get $state)))
    (global.set $k1 (call $splat (local.get $taken)))
    (global.set $k2 (call $splat (local.get $epsilonValue)))
    (global.set $k3 (call $splat (local.get $weightDecay)))
    (global.set $k4 (f32x4.splat (f32.sub (f32.const 1) (f32.load offset=8 (local.get $state))))))

  ;; a ← a + (1 - alpha) · (x - a)
  (func $averaged (param $a v128) (param $x v128) (result v128)
    (f32x4.add (local.get $a) (f32x4.mul (global.get $k1) (f32x4.sub (local.get $x) (local.get $a)))))

  ;; g / (√v + epsilon)
  (func $scaled (param $g v128) (param $v v128) (result v128)
    (f32x4.div (local.get $g) (f32x4.add (f32x4.sqrt (local.get $v)) (global.get $k2))))

  (func $lessSquare (param $v v128) (param $a v128) (result v128)
    (f32x4.sub (local.get $v) (f32x4.mul (local.get $a) (local.get $a))))

  ;; rows
  ;;   plain             (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k3) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k0) (call $scaled (local.get $g) (local.get $a)))))

  ;; join update/update_1.wat

  ;; rows
  ;;   momentum          (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k3) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $b (f32x4.add (f32x4.mul (local.get $k4) (local.get $b)) (call $scaled (local.get $g) (local.get $a))))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k0) (local.get $b))))
  ;;   centered          (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k3) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $b (call $averaged (local.get $b) (local.get $g)))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k0) (call $scaled (local.get $g) (call $lessSquare (local.get $a) (local.get $b))))))

  ;; join update/update_2.wat

  ;; rows
  ;;   centeredMomentum  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k3) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $c (call $averaged (local.get $c) (local.get $g)))
  ;;                     (local.set $b (f32x4.add (f32x4.mul (local.get $k4) (local.get $b)) (call $scaled (local.get $g) (call $lessSquare (local.get $a) (local.get $c)))))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k0) (local.get $b))))

  ;; join update/update_3.wat
)
