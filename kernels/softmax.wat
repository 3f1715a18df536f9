;; softmax.wat: softmax and its logarithm along contiguous rows, for the CPU device, WebAssembly SIMD.
;;
;; Computes    m = max x, s = Σ exp(x - m);  softmax: exp(x - m) / s;  logSoftmax: x - m - log s
;; Parameters  from, to, rows, C: addresses of [rows, C], and sizes
;; Method      three passes over a row, the later ones from the cache; s is kept in float64
;; Cost        8 B moved and one exp an element: about 1 ns
;; Edges       a row with NaN or +Inf, or of -Inf alone, is NaN throughout: Inf - Inf is; nothing beside a row is written
;; Reference   lib/ops/softmax.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common.wat
  ;; join exponential.wat
  ;; join largest.wat

  ;; Σ exp(x - m); stores the exponentials.
  (func $exponentials (param $from i32) (param $to i32) (param $C i32) (param $m v128) (result f64)
    (local $e v128) (local $sum v128)
    (loop $nextQuad
      (local.set $e
        (call $exp
          (f32x4.sub
            (if (result v128) (i32.ge_u (local.get $C) (i32.const 4))
              (then (v128.load (local.get $from)))
              (else (call $loadSome (local.get $from) (local.get $C) (f32x4.splat (f32.const -inf)))))
            (local.get $m))))
      (local.set $sum
        (f64x2.add (local.get $sum)
          (f64x2.add
            (f64x2.promote_low_f32x4 (local.get $e))
            (f64x2.promote_low_f32x4
              (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $e) (local.get $e))))))
      (if (i32.ge_u (local.get $C) (i32.const 4))
        (then
          (v128.store (local.get $to) (local.get $e))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $nextQuad (local.tee $C (i32.sub (local.get $C) (i32.const 4)))))
        (else (call $storeSome (local.get $to) (local.get $C) (local.get $e)))))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

  ;; What the third pass makes of $x.
  ;; rows
  ;;   quotients    (f32x4.div (local.get $x) (local.get $a))
  ;;   differences  (f32x4.sub (f32x4.sub (local.get $x) (local.get $a)) (local.get $b))
  ;; for each row
  (func $NAME (param $from i32) (param $to i32) (param $C i32) (param $a v128) (param $b v128)
    (local $x v128)
    (loop $nextQuad
      (if (i32.ge_u (local.get $C) (i32.const 4))
        (then
          (local.set $x (v128.load (local.get $from)))
          (v128.store (local.get $to) VALUE)
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $nextQuad (local.tee $C (i32.sub (local.get $C) (i32.const 4)))))
        (else
          (local.set $x (call $loadSome (local.get $from) (local.get $C) (local.get $a)))
          (call $storeSome (local.get $to) (local.get $C) VALUE)))))
  ;; end

  ;; The third pass of $from, $to, $C, given the maximum $m and the sum $s.
  ;; rows
  ;;   softmax     (call $quotients (local.get $to) (local.get $to) (local.get $C) (local.get $s) (local.get $s))
  ;;   logSoftmax  (call $differences (local.get $from) (local.get $to) (local.get $C) (local.get $m) (call $log (local.get $s)))
  ;; for each row
  (func (export "NAME") (param $from i32) (param $to i32) (param $rows i32) (param $C i32)
    (local $m v128) (local $s v128)
    (loop $nextRow
      (local.set $m (f32x4.splat (call $largest (local.get $from) (local.get $C))))
      (local.set $s
        (f32x4.splat
          (f32.demote_f64 (call $exponentials (local.get $from) (local.get $to) (local.get $C) (local.get $m)))))
      VALUE
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; end
)
