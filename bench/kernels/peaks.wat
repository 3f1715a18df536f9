;; peaks.wat: the peaks of one CPU thread in WebAssembly SIMD.
;;
;; multiplyAdd   x ← x · factor + term, `steps` times, for 12 independent vectors of four; stores their sum at `output`.
;;               2 · 4 · 12 · steps flop. Plain SIMD has no fused multiply-add: each is a multiplication and an addition,
;;               and so it is in the library's own kernels. 12 chains and 2 constants fill 14 of the 16 vector registers
;;               of x86-64, and hide the latency of both (4 + 4 cycles at one or two of them a cycle).
;; copy          `bytes` bytes, a multiple of 64, from `input` to `output`, four vectors a turn. 2 · bytes of traffic.
;; Numbers       factor < 1: the values stay near term / (1 - factor), neither subnormal nor infinite
(module
  (import "env" "memory" (memory 1))
  (func (export "multiplyAdd") (param $output i32) (param $steps i32)
    (local $factor v128) (local $term v128)
    (local $x0 v128) (local $x1 v128) (local $x2 v128) (local $x3 v128) (local $x4 v128) (local $x5 v128)
    (local $x6 v128) (local $x7 v128) (local $x8 v128) (local $x9 v128) (local $x10 v128) (local $x11 v128)
    (local.set $factor (f32x4.splat (f32.const 0.75)))
    (local.set $term (f32x4.splat (f32.const 0.5)))
    (local.set $x1 (f32x4.splat (f32.const 1)))
    (local.set $x2 (f32x4.splat (f32.const 2)))
    (local.set $x3 (f32x4.splat (f32.const 3)))
    (local.set $x4 (f32x4.splat (f32.const 4)))
    (local.set $x5 (f32x4.splat (f32.const 5)))
    (local.set $x6 (f32x4.splat (f32.const 6)))
    (local.set $x7 (f32x4.splat (f32.const 7)))
    (local.set $x8 (f32x4.splat (f32.const 8)))
    (local.set $x9 (f32x4.splat (f32.const 9)))
    (local.set $x10 (f32x4.splat (f32.const 10)))
    (local.set $x11 (f32x4.splat (f32.const 11)))
    (loop $next
      (local.set $x0 (f32x4.add (f32x4.mul (local.get $x0) (local.get $factor)) (local.get $term)))
      (local.set $x1 (f32x4.add (f32x4.mul (local.get $x1) (local.get $factor)) (local.get $term)))
      (local.set $x2 (f32x4.add (f32x4.mul (local.get $x2) (local.get $factor)) (local.get $term)))
      (local.set $x3 (f32x4.add (f32x4.mul (local.get $x3) (local.get $factor)) (local.get $term)))
      (local.set $x4 (f32x4.add (f32x4.mul (local.get $x4) (local.get $factor)) (local.get $term)))
      (local.set $x5 (f32x4.add (f32x4.mul (local.get $x5) (local.get $factor)) (local.get $term)))
      (local.set $x6 (f32x4.add (f32x4.mul (local.get $x6) (local.get $factor)) (local.get $term)))
      (local.set $x7 (f32x4.add (f32x4.mul (local.get $x7) (local.get $factor)) (local.get $term)))
      (local.set $x8 (f32x4.add (f32x4.mul (local.get $x8) (local.get $factor)) (local.get $term)))
      (local.set $x9 (f32x4.add (f32x4.mul (local.get $x9) (local.get $factor)) (local.get $term)))
      (local.set $x10 (f32x4.add (f32x4.mul (local.get $x10) (local.get $factor)) (local.get $term)))
      (local.set $x11 (f32x4.add (f32x4.mul (local.get $x11) (local.get $factor)) (local.get $term)))
      (br_if $next (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
    (v128.store (local.get $output)
      (f32x4.add
        (f32x4.add
          (f32x4.add (f32x4.add (local.get $x0) (local.get $x1)) (f32x4.add (local.get $x2) (local.get $x3)))
          (f32x4.add (f32x4.add (local.get $x4) (local.get $x5)) (f32x4.add (local.get $x6) (local.get $x7))))
        (f32x4.add (f32x4.add (local.get $x8) (local.get $x9)) (f32x4.add (local.get $x10) (local.get $x11))))))

  (func (export "copy") (param $input i32) (param $output i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $input) (local.get $bytes)))
    (loop $next
      (v128.store (local.get $output) (v128.load (local.get $input)))
      (v128.store offset=16 (local.get $output) (v128.load offset=16 (local.get $input)))
      (v128.store offset=32 (local.get $output) (v128.load offset=32 (local.get $input)))
      (v128.store offset=48 (local.get $output) (v128.load offset=48 (local.get $input)))
      (local.set $output (i32.add (local.get $output) (i32.const 64)))
      (local.set $input (i32.add (local.get $input) (i32.const 64)))
      (br_if $next (i32.lt_u (local.get $input) (local.get $end))))))
