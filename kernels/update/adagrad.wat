;; adagrad.wat: Adagrad for the CPU device, WebAssembly SIMD: update_1.wat says how it is called.
;;
;; Computes    as adagrad.wgsl
;; Settings    learningRateDecay, epsilon, weightDecay
;; Constants   k0 rate, k1 epsilon, k2 decay
;; Cost        20 B moved an element: bound by memory bandwidth
;; Reference   lib/optim/adagrad.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join update/update_constants.wat

  (func $begin
    (param $state i32) (param $ahead i32) (param $rateDecay f64) (param $epsilonValue f64) (param $weightDecay f64)
    (param f64) (param f64) (param f64) (param f64)
    (global.set $k0
      (call $splat
        (f64.div
          (f64.promote_f32 (f32.load (local.get $state)))
          (f64.add (f64.const 1)
            (f64.mul (local.get $rateDecay)
              (f64.convert_i32_u (i32.add (i32.load offset=4 (local.get $state)) (local.get $ahead))))))))
    (global.set $k1 (call $splat (local.get $epsilonValue)))
    (global.set $k2 (call $splat (local.get $weightDecay))))

  ;; rows
  ;;   adagrad  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k2) (local.get $p))))
  ;;            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $g) (local.get $g))))
  ;;            (local.set $p (f32x4.sub (local.get $p) (f32x4.div (f32x4.mul (local.get $k0) (local.get $g)) (f32x4.add (f32x4.sqrt (local.get $a)) (local.get $k1)))))

  ;; join update/update_1.wat
)
