;; softmax.wat: softmax and its logarithm along rows or down columns, for the CPU device, WebAssembly SIMD.
;;
;; Computes    m = max x, s = Σ exp(x - m);  softmax: exp(x - m) / s;  logSoftmax: x - m - log s
;; Parameters  from, to, rows, C: addresses of [rows, C], and sizes
;;             ..Columns: from, to, C, pitch, columns: each column of [C, columns] is a row; bytes from one c to the next
;; Method      three passes over a row, the later ones from the cache; s is kept in float64. Columns go four at a time.
;; Cost        8 B moved and one exp an element: about 1 ns
;; Edges       a row with NaN or +Inf, or of -Inf alone, is NaN throughout: Inf - Inf is; nothing beside a row is written
;; Reference   lib/ops/normalize/softmax.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/exponential.wat
  ;; join common/largest.wat

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

  ;; The third pass of an element, $x, of four columns, given their maxima $m, their sums $s, log $s,
  ;; and its exponential $e.
  ;; rows
  ;;   softmax     (f32x4.div (local.get $e) (local.get $s))
  ;;   logSoftmax  (f32x4.sub (f32x4.sub (local.get $x) (local.get $m)) (local.get $logarithm))
  ;; for each row
  (func (export "NAMEColumns")
    (param $from i32) (param $to i32) (param $C i32) (param $pitch i32) (param $columns i32)
    (local $c i32) (local $offset i32) (local $left i32)
    (local $x v128) (local $e v128) (local $m v128) (local $s v128) (local $low v128) (local $high v128) (local $logarithm v128)
    (loop $nextQuad
      (local.set $left
        (select (i32.const 4) (local.get $columns) (i32.ge_u (local.get $columns) (i32.const 4))))
      (local.set $m (f32x4.splat (f32.const -inf)))
      (local.set $c (i32.const 0))
      (local.set $offset (i32.const 0))
      (loop $next
        (local.set $m
          (f32x4.max (local.get $m) (call $loadQuad (i32.add (local.get $from) (local.get $offset)) (local.get $left))))
        (local.set $offset (i32.add (local.get $offset) (local.get $pitch)))
        (br_if $next (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 1))) (local.get $C))))

      (local.set $low (f64x2.splat (f64.const 0)))
      (local.set $high (f64x2.splat (f64.const 0)))
      (local.set $c (i32.const 0))
      (local.set $offset (i32.const 0))
      (loop $next
        (local.set $e
          (call $exp
            (f32x4.sub
              (call $loadQuad (i32.add (local.get $from) (local.get $offset)) (local.get $left))
              (local.get $m))))
        (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $e))))
        (local.set $high
          (f64x2.add (local.get $high)
            (f64x2.promote_low_f32x4
              (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $e) (local.get $e)))))
        (call $storeQuad (i32.add (local.get $to) (local.get $offset)) (local.get $left) (local.get $e))
        (local.set $offset (i32.add (local.get $offset) (local.get $pitch)))
        (br_if $next (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 1))) (local.get $C))))
      (local.set $s
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (f32x4.demote_f64x2_zero (local.get $low)) (f32x4.demote_f64x2_zero (local.get $high))))
      (local.set $logarithm (call $log (local.get $s)))

      (local.set $c (i32.const 0))
      (local.set $offset (i32.const 0))
      (loop $next
        (local.set $x (call $loadQuad (i32.add (local.get $from) (local.get $offset)) (local.get $left)))
        (local.set $e (call $loadQuad (i32.add (local.get $to) (local.get $offset)) (local.get $left)))
        (call $storeQuad (i32.add (local.get $to) (local.get $offset)) (local.get $left) VALUE)
        (local.set $offset (i32.add (local.get $offset) (local.get $pitch)))
        (br_if $next (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 1))) (local.get $C))))

      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $nextQuad (local.tee $columns (i32.sub (local.get $columns) (local.get $left))))))
  ;; end
)
