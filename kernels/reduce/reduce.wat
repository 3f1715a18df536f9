;; reduce.wat: sums and extremes over axes, for the CPU device, WebAssembly SIMD.
;;
;; Computes    to[i] = scale · Σ over strips and columns of from[i, strip, column]     (sumRows, maxRows, minRows)
;;             to[c] = scale · Σ over rows of from[row, c]                             (sumColumns, maxColumns, minColumns)
;; Parameters  ..Rows: from, pitch, count: address, bytes from one i to the next, how many; strips, stripPitch, columns:
;;             what is reduced, columns being contiguous; to; scale; neutral, where the result starts from.
;;             ..Columns: from, rows, pitch; to, columns, both contiguous; scale; neutral
;; Method      sums are kept in float64, two elements a vector, in an order that sizes alone decide. Rows: eight elements
;;             at a time in four accumulators, added up at the end. Columns: 16 (a cache line) of all rows at a time,
;;             then four.
;; Cost        4 B read an element; a sum takes about 0.25 ns of it, in cache
;; Accuracy    one rounding to float32, at the end
;; Edges       what is left of a row is loaded one by one, the rest of the vector being neutral; nothing to reduce gives
;;             scale · neutral; an extreme is NaN where any element is
;; Reference   lib/ops/reduce/reduce.ts, rows in sum.ts and extremes.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  ;; The upper two of four floats, as doubles.
  (func $upper (param $x v128) (result v128)
    (f64x2.promote_low_f32x4
      (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))))

  (func (export "sumRows")
    (param $from i32) (param $pitch i32) (param $count i32) (param $strips i32) (param $stripPitch i32)
    (param $columns i32) (param $to i32) (param $scale f64) (param $neutral f32)
    (local $strip i32) (local $source i32) (local $left i32) (local $x v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (loop $next
      (local.set $s0 (f64x2.splat (f64.promote_f32 (local.get $neutral))))
      (local.set $s1 (local.get $s0))
      (local.set $s2 (local.get $s0))
      (local.set $s3 (local.get $s0))
      (local.set $strip (i32.const 0))
      (block $stripsDone
        (loop $nextStrip
          (br_if $stripsDone (i32.ge_u (local.get $strip) (local.get $strips)))
          (local.set $source
            (i32.add (local.get $from) (i32.mul (local.get $strip) (local.get $stripPitch))))
          (local.set $left (local.get $columns))
          (block $eightsDone
            (loop $nextEight
              (br_if $eightsDone (i32.lt_u (local.get $left) (i32.const 8)))
              (local.set $s0 (f64x2.add (local.get $s0) (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $source)))))
              (local.set $s1 (f64x2.add (local.get $s1) (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $source)))))
              (local.set $s2 (f64x2.add (local.get $s2) (f64x2.promote_low_f32x4 (v128.load64_zero offset=16 (local.get $source)))))
              (local.set $s3 (f64x2.add (local.get $s3) (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $source)))))
              (local.set $source (i32.add (local.get $source) (i32.const 32)))
              (local.set $left (i32.sub (local.get $left) (i32.const 8)))
              (br $nextEight)))
          (if (i32.ge_u (local.get $left) (i32.const 4))
            (then
              (local.set $x (v128.load (local.get $source)))
              (local.set $s0 (f64x2.add (local.get $s0) (f64x2.promote_low_f32x4 (local.get $x))))
              (local.set $s1 (f64x2.add (local.get $s1) (call $upper (local.get $x))))
              (local.set $source (i32.add (local.get $source) (i32.const 16)))
              (local.set $left (i32.sub (local.get $left) (i32.const 4)))))
          (local.set $x
            (call $loadSome (local.get $source) (local.get $left) (f32x4.splat (local.get $neutral))))
          (local.set $s2 (f64x2.add (local.get $s2) (f64x2.promote_low_f32x4 (local.get $x))))
          (local.set $s3 (f64x2.add (local.get $s3) (call $upper (local.get $x))))
          (local.set $strip (i32.add (local.get $strip) (i32.const 1)))
          (br $nextStrip)))
      (local.set $s0
        (f64x2.add
          (f64x2.add (local.get $s0) (local.get $s1))
          (f64x2.add (local.get $s2) (local.get $s3))))
      (f32.store (local.get $to)
        (f32.demote_f64
          (f64.mul (local.get $scale)
            (f64.add (f64x2.extract_lane 0 (local.get $s0)) (f64x2.extract_lane 1 (local.get $s0))))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func $scaled (param $low v128) (param $high v128) (param $scale v128) (result v128)
    (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
      (f32x4.demote_f64x2_zero (f64x2.mul (local.get $low) (local.get $scale)))
      (f32x4.demote_f64x2_zero (f64x2.mul (local.get $high) (local.get $scale)))))

  ;; 16 columns: a cache line of each row.
  (func $sumLine (param $from i32) (param $rows i32) (param $pitch i32) (param $to i32) (param $scale v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $s4 v128) (local $s5 v128) (local $s6 v128) (local $s7 v128)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $s0 (f64x2.add (local.get $s0) (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $from)))))
        (local.set $s1 (f64x2.add (local.get $s1) (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $from)))))
        (local.set $s2 (f64x2.add (local.get $s2) (f64x2.promote_low_f32x4 (v128.load64_zero offset=16 (local.get $from)))))
        (local.set $s3 (f64x2.add (local.get $s3) (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $from)))))
        (local.set $s4 (f64x2.add (local.get $s4) (f64x2.promote_low_f32x4 (v128.load64_zero offset=32 (local.get $from)))))
        (local.set $s5 (f64x2.add (local.get $s5) (f64x2.promote_low_f32x4 (v128.load64_zero offset=40 (local.get $from)))))
        (local.set $s6 (f64x2.add (local.get $s6) (f64x2.promote_low_f32x4 (v128.load64_zero offset=48 (local.get $from)))))
        (local.set $s7 (f64x2.add (local.get $s7) (f64x2.promote_low_f32x4 (v128.load64_zero offset=56 (local.get $from)))))
        (local.set $from (i32.add (local.get $from) (local.get $pitch)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $next)))
    (v128.store (local.get $to) (call $scaled (local.get $s0) (local.get $s1) (local.get $scale)))
    (v128.store offset=16 (local.get $to) (call $scaled (local.get $s2) (local.get $s3) (local.get $scale)))
    (v128.store offset=32 (local.get $to) (call $scaled (local.get $s4) (local.get $s5) (local.get $scale)))
    (v128.store offset=48 (local.get $to) (call $scaled (local.get $s6) (local.get $s7) (local.get $scale))))

  ;; The first `columns` of four columns.
  (func $sumQuad (param $from i32) (param $rows i32) (param $pitch i32) (param $columns i32) (param $scale v128) (result v128)
    (local $low v128) (local $high v128) (local $x v128)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $rows)))
        (if (i32.ge_u (local.get $columns) (i32.const 4))
          (then (local.set $x (v128.load (local.get $from))))
          (else (local.set $x (call $loadSome (local.get $from) (local.get $columns) (local.get $x)))))
        (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $x))))
        (local.set $high (f64x2.add (local.get $high) (call $upper (local.get $x))))
        (local.set $from (i32.add (local.get $from) (local.get $pitch)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $next)))
    (call $scaled (local.get $low) (local.get $high) (local.get $scale)))

  (func (export "sumColumns")
    (param $from i32) (param $rows i32) (param $pitch i32) (param $to i32) (param $columns i32)
    (param $scale f64) (param $neutral f32)
    (local $factor v128)
    (local.set $factor (f64x2.splat (local.get $scale)))
    (block $linesDone
      (loop $nextLine
        (br_if $linesDone (i32.lt_u (local.get $columns) (i32.const 16)))
        (call $sumLine (local.get $from) (local.get $rows) (local.get $pitch) (local.get $to) (local.get $factor))
        (local.set $from (i32.add (local.get $from) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 16)))
        (br $nextLine)))
    (block $quadsDone
      (loop $nextQuad
        (br_if $quadsDone (i32.lt_u (local.get $columns) (i32.const 4)))
        (v128.store (local.get $to)
          (call $sumQuad (local.get $from) (local.get $rows) (local.get $pitch) (i32.const 4) (local.get $factor)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 4)))
        (br $nextQuad)))
    (if (local.get $columns)
      (then
        (call $storeSome (local.get $to) (local.get $columns)
          (call $sumQuad
            (local.get $from) (local.get $rows) (local.get $pitch) (local.get $columns) (local.get $factor))))))

  ;; pmax and pmin are one instruction, and pass over NaN, which is noted beside them; max and min take seven.
  ;; rows
  ;;   max  f32x4.pmax
  ;;   min  f32x4.pmin
  ;; for each row
  (func (export "NAMERows")
    (param $from i32) (param $pitch i32) (param $count i32) (param $strips i32) (param $stripPitch i32)
    (param $columns i32) (param $to i32) (param $scale f64) (param $neutral f32)
    (local $strip i32) (local $source i32) (local $left i32) (local $x v128) (local $best v128) (local $isNan v128)
    (loop $next
      (local.set $best (f32x4.splat (local.get $neutral)))
      (local.set $isNan (i32x4.splat (i32.const 0)))
      (local.set $strip (i32.const 0))
      (block $stripsDone
        (loop $nextStrip
          (br_if $stripsDone (i32.ge_u (local.get $strip) (local.get $strips)))
          (local.set $source
            (i32.add (local.get $from) (i32.mul (local.get $strip) (local.get $stripPitch))))
          (local.set $left (local.get $columns))
          (block $quadsDone
            (loop $nextQuad
              (br_if $quadsDone (i32.lt_u (local.get $left) (i32.const 4)))
              (local.set $x (v128.load (local.get $source)))
              (local.set $best (VALUE (local.get $best) (local.get $x)))
              (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
              (local.set $source (i32.add (local.get $source) (i32.const 16)))
              (local.set $left (i32.sub (local.get $left) (i32.const 4)))
              (br $nextQuad)))
          (local.set $x
            (call $loadSome (local.get $source) (local.get $left) (f32x4.splat (local.get $neutral))))
          (local.set $best (VALUE (local.get $best) (local.get $x)))
          (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
          (local.set $strip (i32.add (local.get $strip) (i32.const 1)))
          (br $nextStrip)))
      (local.set $best
        (VALUE (local.get $best)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $best) (local.get $best))))
      (local.set $best
        (VALUE (local.get $best)
          (i8x16.shuffle 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 (local.get $best) (local.get $best))))
      (f32.store (local.get $to)
        (select
          (f32.const nan)
          (f32.mul (f32.demote_f64 (local.get $scale)) (f32x4.extract_lane 0 (local.get $best)))
          (v128.any_true (local.get $isNan))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func (export "NAMEColumns")
    (param $from i32) (param $rows i32) (param $pitch i32) (param $to i32) (param $columns i32)
    (param $scale f64) (param $neutral f32)
    (local $source i32) (local $row i32) (local $x v128) (local $best v128) (local $isNan v128)
    (loop $nextQuad
      (local.set $best (f32x4.splat (local.get $neutral)))
      (local.set $isNan (i32x4.splat (i32.const 0)))
      (local.set $source (local.get $from))
      (local.set $row (i32.const 0))
      (block $rowsDone
        (loop $nextRow
          (br_if $rowsDone (i32.ge_u (local.get $row) (local.get $rows)))
          (if (i32.ge_u (local.get $columns) (i32.const 4))
            (then (local.set $x (v128.load (local.get $source))))
            (else (local.set $x (call $loadSome (local.get $source) (local.get $columns) (local.get $best)))))
          (local.set $best (VALUE (local.get $best) (local.get $x)))
          (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
          (local.set $source (i32.add (local.get $source) (local.get $pitch)))
          (local.set $row (i32.add (local.get $row) (i32.const 1)))
          (br $nextRow)))
      ;; Bits that are all set are a NaN.
      (local.set $best
        (v128.or
          (f32x4.mul (local.get $best) (f32x4.splat (f32.demote_f64 (local.get $scale))))
          (local.get $isNan)))
      (if (i32.ge_u (local.get $columns) (i32.const 4))
        (then
          (v128.store (local.get $to) (local.get $best))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $nextQuad (local.tee $columns (i32.sub (local.get $columns) (i32.const 4)))))
        (else (call $storeSome (local.get $to) (local.get $columns) (local.get $best))))))
  ;; end
)
