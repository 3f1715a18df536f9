;; sgd.wat: stochastic gradient descent for the CPU device, WebAssembly SIMD: update_loop.wat says how it is called.
;;
;; Computes    g = gradient + weightDecay · p
;;             v = step = 0 ? g : momentum · v + (1 - dampening) · g
;;             p -= learningRate · (nesterov ? g + momentum · v : v);  plain: p -= learningRate · g
;; Settings    weightDecay, momentum, dampening, nesterov
;; Cost        12 B moved an element, 20 with momentum: bound by memory bandwidth
;; Reference   lib/ops/update/sgd.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (global $rate (mut v128) (v128.const i32x4 0 0 0 0))
  (global $decay (mut v128) (v128.const i32x4 0 0 0 0))
  (global $keep (mut v128) (v128.const i32x4 0 0 0 0))
  (global $take (mut v128) (v128.const i32x4 0 0 0 0))
  (global $isFirst (mut i32) (i32.const 0))
  (global $nesterov (mut i32) (i32.const 0))

  (func $begin
    (param $state i32) (param $ahead i32) (param $weightDecay f64) (param $momentum f64) (param $dampening f64)
    (param $isNesterov f64) (param f64) (param f64) (param f64)
    (global.set $rate (v128.load32_splat (local.get $state)))
    (global.set $decay (f32x4.splat (f32.demote_f64 (local.get $weightDecay))))
    (global.set $keep (f32x4.splat (f32.demote_f64 (local.get $momentum))))
    (global.set $take (f32x4.splat (f32.demote_f64 (f64.sub (f64.const 1) (local.get $dampening)))))
    (global.set $isFirst (i32.eqz (i32.add (i32.load offset=4 (local.get $state)) (local.get $ahead))))
    (global.set $nesterov (f64.ne (local.get $isNesterov) (f64.const 0))))

  ;; rows
  ;;   plain     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (global.get $rate) (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))))
  ;;   momentum  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (global.get $decay) (local.get $p))))
  ;;             (local.set $a (if (result v128) (global.get $isFirst) (then (local.get $g)) (else (f32x4.add (f32x4.mul (global.get $keep) (local.get $a)) (f32x4.mul (global.get $take) (local.get $g))))))
  ;;             (local.set $g (if (result v128) (global.get $nesterov) (then (f32x4.add (local.get $g) (f32x4.mul (global.get $keep) (local.get $a)))) (else (local.get $a))))
  ;;             (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (global.get $rate) (local.get $g))))

  ;; join update/update_loop.wat
)
