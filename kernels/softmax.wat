;; softmax.wat: softmax and its logarithm along contiguous rows, for the CPU device, WebAssembly SIMD.
;;
;; Computes    m = max x, s = Σ exp(x - m);  softmax: exp(x - m) / s;  logSoftmax: x - m - log s
;; Parameters  from, to, rows, C: addresses of [rows, C], and sizes. `to` may be `from`.
;; Method      three passes over a row, the later ones from the cache; s is kept in float64
;; Cost        8 B moved and one exp an element: about 1 ns
;; Edges       a row with NaN or +Inf, or of -Inf alone, is NaN throughout: Inf - Inf is; nothing beside a row is written
;; Reference   lib/ops/softmax.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common.wat
  ;; join exponential.wat
  ;; join largest.wat

  ;; What is loaded from x in each pass: the first `count` elements, -Inf in place of the others.
  (func $load (param $from i32) (param $count i32) (result v128)
    (if (result v128) (i32.ge_u (local.get $count) (i32.const 4))
      (then (v128.load (local.get $from)))
      (else (call $loadSome (local.get $from) (local.get $count) (f32x4.splat (f32.const -inf))))))

  (func $store (param $to i32) (param $count i32) (param $value v128)
    (if (i32.ge_u (local.get $count) (i32.const 4))
      (then (v128.store (local.get $to) (local.get $value)))
      (else (call $storeSome (local.get $to) (local.get $count) (local.get $value)))))

  ;; Σ exp(x - m). The exponentials are stored where there is a `to` that is not 0.
  (func $sumOfExp (param $from i32) (param $to i32) (param $C i32) (param $m v128) (result f64)
    (local $e v128) (local $sum v128)
    (loop $nextQuad
      (local.set $e (call $exp (f32x4.sub (call $load (local.get $from) (local.get $C)) (local.get $m))))
      (local.set $sum
        (f64x2.add (local.get $sum)
          (f64x2.add
            (f64x2.promote_low_f32x4 (local.get $e))
            (f64x2.promote_low_f32x4
              (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $e) (local.get $e))))))
      (if (local.get $to)
        (then
          (call $store (local.get $to) (local.get $C) (local.get $e))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $nextQuad (i32.gt_s (local.tee $C (i32.sub (local.get $C) (i32.const 4))) (i32.const 0))))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

  (func $divideBy (param $to i32) (param $C i32) (param $s v128)
    (loop $nextQuad
      (call $store (local.get $to) (local.get $C)
        (f32x4.div (call $load (local.get $to) (local.get $C)) (local.get $s)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $nextQuad (i32.gt_s (local.tee $C (i32.sub (local.get $C) (i32.const 4))) (i32.const 0)))))

  (func $subtractBoth (param $from i32) (param $to i32) (param $C i32) (param $m v128) (param $logarithm v128)
    (loop $nextQuad
      (call $store (local.get $to) (local.get $C)
        (f32x4.sub
          (f32x4.sub (call $load (local.get $from) (local.get $C)) (local.get $m))
          (local.get $logarithm)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $nextQuad (i32.gt_s (local.tee $C (i32.sub (local.get $C) (i32.const 4))) (i32.const 0)))))

  (func (export "softmax") (param $from i32) (param $to i32) (param $rows i32) (param $C i32)
    (local $m v128)
    (loop $nextRow
      (local.set $m (f32x4.splat (call $largest (local.get $from) (local.get $C))))
      (call $divideBy (local.get $to) (local.get $C)
        (f32x4.splat
          (f32.demote_f64
            (call $sumOfExp (local.get $from) (local.get $to) (local.get $C) (local.get $m)))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "logSoftmax") (param $from i32) (param $to i32) (param $rows i32) (param $C i32)
    (local $m v128)
    (loop $nextRow
      (local.set $m (f32x4.splat (call $largest (local.get $from) (local.get $C))))
      (call $subtractBoth (local.get $from) (local.get $to) (local.get $C) (local.get $m)
        (call $log
          (f32x4.splat
            (f32.demote_f64
              (call $sumOfExp (local.get $from) (i32.const 0) (local.get $C) (local.get $m))))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
