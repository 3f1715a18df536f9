;; rmsprop.wat: RMSprop for the CPU device, WebAssembly SIMD: update_loop.wat says how it is called.
;;
;; Computes    as rmsprop.wgsl; the slots are v, then b where there is momentum, then a where it is centered
;; Settings    1 - alpha, epsilon, weightDecay, momentum
;; Cost        20 B moved an element, 8 more with momentum and 8 more if centered: bound by memory bandwidth
;; Reference   lib/ops/update/rmsprop.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (global $rate (mut v128) (v128.const i32x4 0 0 0 0))
  (global $take (mut v128) (v128.const i32x4 0 0 0 0))
  (global $epsilon (mut v128) (v128.const i32x4 0 0 0 0))
  (global $decay (mut v128) (v128.const i32x4 0 0 0 0))
  (global $keep (mut v128) (v128.const i32x4 0 0 0 0))

  (func $splat (param $value f64) (result v128)
    (f32x4.splat (f32.demote_f64 (local.get $value))))

  (func $begin
    (param $state i32) (param $ahead i32) (param $taken f64) (param $epsilonValue f64) (param $weightDecay f64)
    (param $momentum f64) (param f64) (param f64) (param f64)
    (global.set $rate (v128.load32_splat (local.get $state)))
    (global.set $take (call $splat (local.get $taken)))
    (global.set $epsilon (call $splat (local.get $epsilonValue)))
    (global.set $decay (call $splat (local.get $weightDecay)))
    (global.set $keep (call $splat (local.get $momentum))))

  ;; a ← a + (1 - alpha) · (x - a)
  (func $averaged (param $a v128) (param $x v128) (result v128)
    (f32x4.add (local.get $a) (f32x4.mul (global.get $take) (f32x4.sub (local.get $x) (local.get $a)))))

  ;; g / (√v + epsilon)
  (func $scaled (param $g v128) (param $v v128) (result v128)
    (f32x4.div (local.get $g) (f32x4.add (f32x4.sqrt (local.get $v)) (global.get $epsilon))))

  (func $lessSquare (param $v v128) (param $a v128) (result v128)
    (f32x4.sub (local.get $v) (f32x4.mul (local.get $a) (local.get $a))))

  ;; rows
  ;;   plain             (local.set $g (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (global.get $rate) (call $scaled (local.get $g) (local.get $a)))))
  ;;   momentum          (local.set $g (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $b (f32x4.add (f32x4.mul (global.get $keep) (local.get $b)) (call $scaled (local.get $g) (local.get $a))))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (global.get $rate) (local.get $b))))
  ;;   centered          (local.set $g (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $b (call $averaged (local.get $b) (local.get $g)))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (global.get $rate) (call $scaled (local.get $g) (call $lessSquare (local.get $a) (local.get $b))))))
  ;;   centeredMomentum  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))
  ;;                     (local.set $a (call $averaged (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;                     (local.set $c (call $averaged (local.get $c) (local.get $g)))
  ;;                     (local.set $b (f32x4.add (f32x4.mul (global.get $keep) (local.get $b)) (call $scaled (local.get $g) (call $lessSquare (local.get $a) (local.get $c)))))
  ;;                     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (global.get $rate) (local.get $b))))

  ;; join update/update_loop.wat
)
