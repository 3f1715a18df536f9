;; sgd.wat: one step of stochastic gradient descent, in place, for the CPU device, WebAssembly SIMD.
;;
;; Computes    g = gradient + weightDecay · p
;;             v = step = 0 ? g : momentum · v + (1 - dampening) · g
;;             p -= learningRate · (nesterov ? g + momentum · v : v);  without momentum: p -= learningRate · g
;; State       of the optimizer (i32): its step, then the bits of `rates` learning rates, of which the step s uses number
;;             s mod rates
;; Method      four elements at a time; buffers are padded to whole vectors
;; Cost        12 B moved an element, 20 with momentum: bound by memory bandwidth
;; Reference   lib/ops/sgd.ts
(module
  (import "env" "memory" (memory 1))

  (func $learningRate (param $state i32) (param $rates i32) (result v128)
    (v128.load32_splat offset=4
      (i32.add (local.get $state)
        (i32.shl (i32.rem_u (i32.load (local.get $state)) (local.get $rates)) (i32.const 2)))))

  (func (export "plain")
    (param $parameter i32) (param $gradient i32) (param $state i32) (param $rates i32) (param $quads i32)
    (param $weightDecay f32)
    (local $rate v128) (local $decay v128) (local $p v128)
    (local.set $rate (call $learningRate (local.get $state) (local.get $rates)))
    (local.set $decay (f32x4.splat (local.get $weightDecay)))
    (loop $next
      (if (i32.eqz (local.get $quads)) (then (return)))
      (local.set $p (v128.load (local.get $parameter)))
      (v128.store (local.get $parameter)
        (f32x4.sub (local.get $p)
          (f32x4.mul (local.get $rate)
            (f32x4.add (v128.load (local.get $gradient)) (f32x4.mul (local.get $decay) (local.get $p))))))
      (local.set $parameter (i32.add (local.get $parameter) (i32.const 16)))
      (local.set $gradient (i32.add (local.get $gradient) (i32.const 16)))
      (local.set $quads (i32.sub (local.get $quads) (i32.const 1)))
      (br $next)))

  (func (export "momentum")
    (param $parameter i32) (param $velocity i32) (param $gradient i32) (param $state i32) (param $rates i32)
    (param $quads i32) (param $weightDecay f32) (param $momentum f32) (param $dampening f32) (param $nesterov i32)
    (local $rate v128) (local $decay v128) (local $keep v128) (local $take v128) (local $isFirst i32)
    (local $p v128) (local $g v128) (local $v v128)
    (local.set $rate (call $learningRate (local.get $state) (local.get $rates)))
    (local.set $decay (f32x4.splat (local.get $weightDecay)))
    (local.set $keep (f32x4.splat (local.get $momentum)))
    (local.set $take (f32x4.splat (f32.sub (f32.const 1) (local.get $dampening))))
    (local.set $isFirst (i32.eqz (i32.load (local.get $state))))
    (loop $next
      (if (i32.eqz (local.get $quads)) (then (return)))
      (local.set $p (v128.load (local.get $parameter)))
      (local.set $g
        (f32x4.add (v128.load (local.get $gradient)) (f32x4.mul (local.get $decay) (local.get $p))))
      (if (local.get $isFirst)
        (then (local.set $v (local.get $g)))
        (else
          (local.set $v
            (f32x4.add (f32x4.mul (local.get $keep) (v128.load (local.get $velocity)))
              (f32x4.mul (local.get $take) (local.get $g))))))
      (v128.store (local.get $velocity) (local.get $v))
      (if (local.get $nesterov)
        (then (local.set $v (f32x4.add (local.get $g) (f32x4.mul (local.get $keep) (local.get $v))))))
      (v128.store (local.get $parameter) (f32x4.sub (local.get $p) (f32x4.mul (local.get $rate) (local.get $v))))
      (local.set $parameter (i32.add (local.get $parameter) (i32.const 16)))
      (local.set $velocity (i32.add (local.get $velocity) (i32.const 16)))
      (local.set $gradient (i32.add (local.get $gradient) (i32.const 16)))
      (local.set $quads (i32.sub (local.get $quads) (i32.const 1)))
      (br $next))))
