;; sgd.wat: one step of stochastic gradient descent, in place, for the CPU device, WebAssembly SIMD.
;;
;; Computes    g = gradient + weightDecay · p
;;             v = step = 0 ? g : momentum · v + (1 - dampening) · g
;;             p -= learningRate · (nesterov ? g + momentum · v : v);  without momentum: p -= learningRate · g
;; State       of the optimizer (i32): its step, then the bits of `rates` learning rates, of which the step s uses number
;;             s mod rates
;; Parameters  parameter, velocity, gradient: each an address, and bytes from one row to the next; rows, columns; the
;;             optimizer's state and how many rates it holds; the settings. Contiguous elements are one row.
;; Method      four elements at a time
;; Cost        12 B moved an element, 20 with momentum: bound by memory bandwidth
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one: nothing beside it is written
;; Reference   lib/ops/update/sgd.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (func $learningRate (param $state i32) (param $rates i32) (result v128)
    (v128.load32_splat offset=4
      (i32.add (local.get $state)
        (i32.shl (i32.rem_u (i32.load (local.get $state)) (local.get $rates)) (i32.const 2)))))

  (func (export "plain")
    (param $parameter i32) (param $parameterPitch i32) (param $gradient i32) (param $gradientPitch i32)
    (param $rows i32) (param $columns i32) (param $state i32) (param $rates i32) (param $weightDecay f32)
    (local $rate v128) (local $decay v128) (local $p v128) (local $g v128)
    (local $ofP i32) (local $ofG i32) (local $left i32)
    (local.set $rate (call $learningRate (local.get $state) (local.get $rates)))
    (local.set $decay (f32x4.splat (local.get $weightDecay)))
    (loop $nextRow
      (local.set $ofP (local.get $parameter))
      (local.set $ofG (local.get $gradient))
      (local.set $left (local.get $columns))
      (loop $nextQuad
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (local.set $p (v128.load (local.get $ofP)))
            (local.set $g (v128.load (local.get $ofG))))
          (else
            (local.set $p (call $loadSome (local.get $ofP) (local.get $left) (local.get $rate)))
            (local.set $g (call $loadSome (local.get $ofG) (local.get $left) (local.get $rate)))))
        (local.set $p
          (f32x4.sub (local.get $p)
            (f32x4.mul (local.get $rate)
              (f32x4.add (local.get $g) (f32x4.mul (local.get $decay) (local.get $p))))))
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (v128.store (local.get $ofP) (local.get $p))
            (local.set $ofP (i32.add (local.get $ofP) (i32.const 16)))
            (local.set $ofG (i32.add (local.get $ofG) (i32.const 16)))
            (br_if $nextQuad (local.tee $left (i32.sub (local.get $left) (i32.const 4)))))
          (else (call $storeSome (local.get $ofP) (local.get $left) (local.get $p)))))
      (local.set $parameter (i32.add (local.get $parameter) (local.get $parameterPitch)))
      (local.set $gradient (i32.add (local.get $gradient) (local.get $gradientPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "momentum")
    (param $parameter i32) (param $parameterPitch i32) (param $velocity i32) (param $velocityPitch i32)
    (param $gradient i32) (param $gradientPitch i32) (param $rows i32) (param $columns i32)
    (param $state i32) (param $rates i32) (param $weightDecay f32) (param $momentum f32) (param $dampening f32)
    (param $nesterov i32)
    (local $rate v128) (local $decay v128) (local $keep v128) (local $take v128) (local $isFirst i32)
    (local $p v128) (local $g v128) (local $v v128)
    (local $ofP i32) (local $ofV i32) (local $ofG i32) (local $left i32)
    (local.set $rate (call $learningRate (local.get $state) (local.get $rates)))
    (local.set $decay (f32x4.splat (local.get $weightDecay)))
    (local.set $keep (f32x4.splat (local.get $momentum)))
    (local.set $take (f32x4.splat (f32.sub (f32.const 1) (local.get $dampening))))
    (local.set $isFirst (i32.eqz (i32.load (local.get $state))))
    (loop $nextRow
      (local.set $ofP (local.get $parameter))
      (local.set $ofV (local.get $velocity))
      (local.set $ofG (local.get $gradient))
      (local.set $left (local.get $columns))
      (loop $nextQuad
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (local.set $p (v128.load (local.get $ofP)))
            (local.set $v (v128.load (local.get $ofV)))
            (local.set $g (v128.load (local.get $ofG))))
          (else
            (local.set $p (call $loadSome (local.get $ofP) (local.get $left) (local.get $rate)))
            (local.set $v (call $loadSome (local.get $ofV) (local.get $left) (local.get $rate)))
            (local.set $g (call $loadSome (local.get $ofG) (local.get $left) (local.get $rate)))))
        (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $decay) (local.get $p))))
        (if (local.get $isFirst)
          (then (local.set $v (local.get $g)))
          (else
            (local.set $v
              (f32x4.add
                (f32x4.mul (local.get $keep) (local.get $v))
                (f32x4.mul (local.get $take) (local.get $g))))))
        (if (local.get $nesterov)
          (then (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $keep) (local.get $v)))))
          (else (local.set $g (local.get $v))))
        (local.set $p (f32x4.sub (local.get $p) (f32x4.mul (local.get $rate) (local.get $g))))
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (v128.store (local.get $ofV) (local.get $v))
            (v128.store (local.get $ofP) (local.get $p))
            (local.set $ofP (i32.add (local.get $ofP) (i32.const 16)))
            (local.set $ofV (i32.add (local.get $ofV) (i32.const 16)))
            (local.set $ofG (i32.add (local.get $ofG) (i32.const 16)))
            (br_if $nextQuad (local.tee $left (i32.sub (local.get $left) (i32.const 4)))))
          (else
            (call $storeSome (local.get $ofV) (local.get $left) (local.get $v))
            (call $storeSome (local.get $ofP) (local.get $left) (local.get $p)))))
      (local.set $parameter (i32.add (local.get $parameter) (local.get $parameterPitch)))
      (local.set $velocity (i32.add (local.get $velocity) (local.get $velocityPitch)))
      (local.set $gradient (i32.add (local.get $gradient) (local.get $gradientPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
