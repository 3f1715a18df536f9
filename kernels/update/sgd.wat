;; sgd.wat: stochastic gradient descent for the CPU device, WebAssembly SIMD: update_1.wat says how it is called.
;;
;; Computes    g = gradient + weightDecay · p
;;             v = step = 0 ? g : momentum · v + (1 - dampening) · g
;;             p -= learningRate · (nesterov ? g + momentum · v : v);  plain: p -= learningRate · g
;; Settings    weightDecay, dampening, nesterov; the momentum stands in the state
;; Constants   k0 rate, k1 decay, k2 keep, k3 take, k4 ofGradient, k5 ofVelocity
;; Cost        12 B moved an element, 20 with momentum: bound by memory bandwidth
;; Reference   lib/optim/sgd.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join update/update_constants.wat

  (func $begin
    (param $state i32) (param $ahead i32) (param $weightDecay f64) (param $dampening f64) (param $isNesterov f64)
    (param f64) (param f64) (param f64) (param f64)
    (global.set $k0 (v128.load32_splat (local.get $state)))
    (global.set $k1 (f32x4.splat (f32.demote_f64 (local.get $weightDecay))))
    (global.set $k2 (f32x4.splat (f32.sub (f32.const 1) (f32.load offset=8 (local.get $state)))))
    (global.set $k3 (f32x4.splat (f32.demote_f64 (f64.sub (f64.const 1) (local.get $dampening)))))
    (global.set $k4 (call $splat (local.get $isNesterov)))
    (global.set $k5 (call $splat (f64.const 1)))
    (if (f64.ne (local.get $isNesterov) (f64.const 0)) (then (global.set $k5 (global.get $k2))))
    ;; The first step takes the gradient as its velocity.
    (if (i32.eqz (i32.add (i32.load offset=4 (local.get $state)) (local.get $ahead)))
      (then
        (global.set $k2 (call $splat (f64.const 0)))
        (global.set $k3 (call $splat (f64.const 1))))))

  ;; rows
  ;;   plain     (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k0) (f32x4.add (local.get $g) (f32x4.mul (local.get $k1) (local.get $p))))))

  ;; join update/update_0.wat

  ;; rows
  ;;   momentum  (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $k1) (local.get $p))))
  ;;             (local.set $a (f32x4.add (f32x4.mul (local.get $k2) (local.get $a)) (f32x4.mul (local.get $k3) (local.get $g))))
  ;;             (local.set $g (f32x4.add (f32x4.mul (local.get $k4) (local.get $g)) (f32x4.mul (local.get $k5) (local.get $a))))
  ;;             (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $k0) (local.get $g))))

  ;; join update/update_1.wat
)
