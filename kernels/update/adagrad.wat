;; adagrad.wat: Adagrad for the CPU device, WebAssembly SIMD: update_loop.wat says how it is called.
;;
;; Computes    as adagrad.wgsl
;; Settings    learningRateDecay, epsilon, weightDecay
;; Cost        20 B moved an element: bound by memory bandwidth
;; Reference   lib/ops/update/adagrad.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (global $rate (mut v128) (v128.const i32x4 0 0 0 0))
  (global $epsilon (mut v128) (v128.const i32x4 0 0 0 0))
  (global $decay (mut v128) (v128.const i32x4 0 0 0 0))

  (func $splat (param $value f64) (result v128)
    (f32x4.splat (f32.demote_f64 (local.get $value))))

  (func $begin
    (param $state i32) (param $ahead i32) (param $rateDecay f64) (param $epsilonValue f64) (param $weightDecay f64)
    (param f64) (param f64) (param f64) (param f64)
    (global.set $rate
      (call $splat
        (f64.div
          (f64.promote_f32 (f32.load (local.get $state)))
          (f64.add (f64.const 1)
            (f64.mul (local.get $rateDecay)
              (f64.convert_i32_u (i32.add (i32.load offset=4 (local.get $state)) (local.get $ahead))))))))
    (global.set $epsilon (call $splat (local.get $epsilonValue)))
    (global.set $decay (call $splat (local.get $weightDecay))))

  ;; rows
  ;;   adagrad  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))
  ;;            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;            (local.set $p (f32x4.sub (local.get $p) (f32x4.div (f32x4.mul (global.get $rate) (local.get $g)) (f32x4.add (f32x4.sqrt (local.get $a)) (global.get $epsilon)))))

  ;; join update/update_loop.wat
)
