;; reduce.wat: sums and extremes over axes, for the CPU device, WebAssembly SIMD.
;;
;; Computes    parts[i] = Σ over strips and columns of from[i, strip, column]            (sumRows, maxRows)
;;             parts[c] = Σ over rows of from[row, c], and of what is there             (sumColumns, maxColumns)
;;             to[i] = scale · Σ over blocks of parts[block, i]                         (sumJoin, maxJoin)
;; Parameters  parts are in float64, with room for whole fours.
;;             ..Rows: from, pitch, count: address, bytes from one i to the next, how many; strips, stripPitch, columns:
;;             what is reduced, columns being contiguous; parts; signs.
;;             ..Columns: from, rows, pitch; columns, which are contiguous; parts; signs; isFirst: whether nothing is there yet.
;;             ..Join: parts, partBytes, blocks: parts, bytes from one block of them to the next, how many; to, count; scale.
;;             signs: of extremes, bits that elements are changed in: the smallest is the largest of all with the other sign, and
;;             a scale of -1 gives it back its own
;; Method      sums are kept in float64, two elements a vector, in an order that sizes alone decide. Rows: eight elements
;;             at a time in four accumulators, added up at the end. Columns: 16 (a cache line) of 64 rows at a time,
;;             then four; so the rows are read in order.
;; Cost        4 B read an element; a sum takes about 0.25 ns of it, in cache
;; Accuracy    one rounding to float32, at the end
;; Edges       what is left of a row is loaded one by one, the rest of the vector being neutral; an extreme is NaN where any
;;             element is; nothing to reduce is left to the reference
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
    (param $columns i32) (param $parts i32) (param $signs i32)
    (local $strip i32) (local $source i32) (local $left i32) (local $x v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (loop $next
      (local.set $s0 (f64x2.splat (f64.const 0)))
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
            (call $loadSome (local.get $source) (local.get $left) (f32x4.splat (f32.const 0))))
          (local.set $s2 (f64x2.add (local.get $s2) (f64x2.promote_low_f32x4 (local.get $x))))
          (local.set $s3 (f64x2.add (local.get $s3) (call $upper (local.get $x))))
          (local.set $strip (i32.add (local.get $strip) (i32.const 1)))
          (br $nextStrip)))
      (local.set $s0
        (f64x2.add
          (f64x2.add (local.get $s0) (local.get $s1))
          (f64x2.add (local.get $s2) (local.get $s3))))
      (f64.store (local.get $parts)
        (f64.add (f64x2.extract_lane 0 (local.get $s0)) (f64x2.extract_lane 1 (local.get $s0))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; 16 columns: a cache line of each row.
  (func $sumLine
    (param $from i32) (param $rows i32) (param $pitch i32) (param $parts i32) (param $signs v128) (param $isFirst i32)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $s4 v128) (local $s5 v128) (local $s6 v128) (local $s7 v128)
    (if (i32.eqz (local.get $isFirst)) (then
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;;   4  offset=64
  ;;   5  offset=80
  ;;   6  offset=96
  ;;   7  offset=112
  ;; for each row
        (local.set $sNAME (v128.load VALUE (local.get $parts)))
  ;; end
      ))
    (loop $next
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=8
  ;;   2  offset=16
  ;;   3  offset=24
  ;;   4  offset=32
  ;;   5  offset=40
  ;;   6  offset=48
  ;;   7  offset=56
  ;; for each row
      (local.set $sNAME
        (f64x2.add (local.get $sNAME) (f64x2.promote_low_f32x4 (v128.load64_zero VALUE (local.get $from)))))
  ;; end
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;;   4  offset=64
  ;;   5  offset=80
  ;;   6  offset=96
  ;;   7  offset=112
  ;; for each row
    (v128.store VALUE (local.get $parts) (local.get $sNAME))
  ;; end
    )

  ;; Four columns, or the first `columns` of four. A call in a loop has all vectors stored around it.
  ;; rows
  ;;   Quad  (v128.load (local.get $from))
  ;;   Some  (call $loadSome (local.get $from) (local.get $columns) (local.get $x))
  ;; for each row
  (func $sumNAME
    (param $from i32) (param $rows i32) (param $pitch i32) (param $parts i32) (param $signs v128) (param $isFirst i32)
    (param $columns i32)
    (local $low v128) (local $high v128) (local $x v128)
    (if (i32.eqz (local.get $isFirst))
      (then
        (local.set $low (v128.load (local.get $parts)))
        (local.set $high (v128.load offset=16 (local.get $parts)))))
    (loop $next
      (local.set $x VALUE)
      (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $x))))
      (local.set $high
        (f64x2.add (local.get $high)
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x)))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
    (v128.store (local.get $parts) (local.get $low))
    (v128.store offset=16 (local.get $parts) (local.get $high)))
  ;; end

  ;; Two results at a time.
  ;; rows
  ;;   sum  f64x2.add
  ;;   max  f64x2.max
  ;; for each row
  (func (export "NAMEJoin")
    (param $parts i32) (param $partBytes i32) (param $blocks i32) (param $to i32) (param $count i32) (param $scale f64)
    (local $part i32) (local $left i32) (local $x v128)
    (loop $nextPair
      (local.set $x (v128.load (local.get $parts)))
      (local.set $part (local.get $parts))
      (local.set $left (local.get $blocks))
      (block $joined
        (loop $nextBlock
          (br_if $joined (i32.eqz (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $part (i32.add (local.get $part) (local.get $partBytes)))
          (local.set $x (VALUE (local.get $x) (v128.load (local.get $part))))
          (br $nextBlock)))
      (local.set $x (f32x4.demote_f64x2_zero (f64x2.mul (local.get $x) (f64x2.splat (local.get $scale)))))
      (if (i32.ge_s (local.get $count) (i32.const 2))
        (then (v128.store64_lane 0 (local.get $to) (local.get $x)))
        (else (v128.store32_lane 0 (local.get $to) (local.get $x))))
      (local.set $parts (i32.add (local.get $parts) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $nextPair (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 2))) (i32.const 0)))))
  ;; end

  ;; Four extremes that are kept as doubles; -Infinity where there are none yet.
  (func $extremesSoFar (param $parts i32) (param $isFirst i32) (result v128)
    (if (result v128) (local.get $isFirst)
      (then (f32x4.splat (f32.const -inf)))
      (else
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (f32x4.demote_f64x2_zero (v128.load (local.get $parts)))
          (f32x4.demote_f64x2_zero (v128.load offset=16 (local.get $parts)))))))

  ;; Bits that are all set are a NaN, which pmax keeps.
  (func $keepExtremes (param $parts i32) (param $best v128)
    (v128.store (local.get $parts) (f64x2.promote_low_f32x4 (local.get $best)))
    (v128.store offset=16 (local.get $parts) (call $upper (local.get $best))))

  ;; pmax is one instruction, and passes over NaN, which is noted beside it; max takes seven.
  (func (export "maxRows")
    (param $from i32) (param $pitch i32) (param $count i32) (param $strips i32) (param $stripPitch i32)
    (param $columns i32) (param $parts i32) (param $signs i32)
    (local $strip i32) (local $source i32) (local $left i32) (local $x v128) (local $best v128) (local $isNan v128)
    (local $change v128) (local $none v128)
    (local.set $change (i32x4.splat (local.get $signs)))
    (local.set $none (v128.xor (f32x4.splat (f32.const -inf)) (local.get $change)))
    (loop $next
      (local.set $best (f32x4.splat (f32.const -inf)))
      (local.set $isNan (i32x4.splat (i32.const 0)))
      (local.set $strip (i32.const 0))
      (loop $nextStrip
        (local.set $source
          (i32.add (local.get $from) (i32.mul (local.get $strip) (local.get $stripPitch))))
        (local.set $left (local.get $columns))
        (block $quadsDone
          (loop $nextQuad
            (br_if $quadsDone (i32.lt_u (local.get $left) (i32.const 4)))
            (local.set $x (v128.xor (v128.load (local.get $source)) (local.get $change)))
            (local.set $best (f32x4.pmax (local.get $best) (local.get $x)))
            (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
            (local.set $source (i32.add (local.get $source) (i32.const 16)))
            (local.set $left (i32.sub (local.get $left) (i32.const 4)))
            (br $nextQuad)))
        (local.set $x
          (v128.xor (call $loadSome (local.get $source) (local.get $left) (local.get $none)) (local.get $change)))
        (local.set $best (f32x4.pmax (local.get $best) (local.get $x)))
        (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
        (br_if $nextStrip
          (i32.lt_u (local.tee $strip (i32.add (local.get $strip) (i32.const 1))) (local.get $strips))))
      (local.set $best
        (f32x4.pmax (local.get $best)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $best) (local.get $best))))
      (f64.store (local.get $parts)
        (f64.promote_f32
          (select (f32.const nan)
            (f32.max (f32x4.extract_lane 0 (local.get $best)) (f32x4.extract_lane 1 (local.get $best)))
            (v128.any_true (local.get $isNan)))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; 16 columns: a cache line of each row.
  (func $maxLine
    (param $from i32) (param $rows i32) (param $pitch i32) (param $parts i32) (param $signs v128) (param $isFirst i32)
    (local $x v128)
    (local $best0 v128) (local $best1 v128) (local $best2 v128) (local $best3 v128)
    (local $isNan0 v128) (local $isNan1 v128) (local $isNan2 v128) (local $isNan3 v128)
  ;; rows
  ;;   0  0
  ;;   1  32
  ;;   2  64
  ;;   3  96
  ;; for each row
    (local.set $bestNAME
      (call $extremesSoFar (i32.add (local.get $parts) (i32.const VALUE)) (local.get $isFirst)))
  ;; end
    (loop $next
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
      (local.set $x (v128.xor (v128.load VALUE (local.get $from)) (local.get $signs)))
      (local.set $bestNAME (f32x4.pmax (local.get $bestNAME) (local.get $x)))
      (local.set $isNanNAME (v128.or (local.get $isNanNAME) (f32x4.ne (local.get $x) (local.get $x))))
  ;; end
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
  ;; rows
  ;;   0  0
  ;;   1  32
  ;;   2  64
  ;;   3  96
  ;; for each row
    (call $keepExtremes
      (i32.add (local.get $parts) (i32.const VALUE)) (v128.or (local.get $bestNAME) (local.get $isNanNAME)))
  ;; end
    )

  ;; Four columns, or the first `columns` of four.
  ;; rows
  ;;   Quad  (v128.load (local.get $from))
  ;;   Some  (call $loadSome (local.get $from) (local.get $columns) (f32x4.splat (f32.const 0)))
  ;; for each row
  (func $maxNAME
    (param $from i32) (param $rows i32) (param $pitch i32) (param $parts i32) (param $signs v128) (param $isFirst i32)
    (param $columns i32)
    (local $x v128) (local $best v128) (local $isNan v128)
    (local.set $best (call $extremesSoFar (local.get $parts) (local.get $isFirst)))
    (loop $next
      (local.set $x (v128.xor VALUE (local.get $signs)))
      (local.set $best (f32x4.pmax (local.get $best) (local.get $x)))
      (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
    (call $keepExtremes (local.get $parts) (v128.or (local.get $best) (local.get $isNan))))
  ;; end

  ;; rows
  ;;   sum  $sum
  ;;   max  $max
  ;; for each row
  (func (export "NAMEColumns")
    (param $from i32) (param $rows i32) (param $pitch i32) (param $columns i32) (param $parts i32)
    (param $signs i32) (param $isFirst i32)
    (local $some i32) (local $left i32) (local $source i32) (local $to i32) (local $change v128)
    (local.set $change (i32x4.splat (local.get $signs)))
    (loop $nextRows
      (local.set $some (select (i32.const 64) (local.get $rows) (i32.ge_u (local.get $rows) (i32.const 64))))
      (local.set $left (local.get $columns))
      (local.set $source (local.get $from))
      (local.set $to (local.get $parts))
      (block $linesDone
        (loop $nextLine
          (br_if $linesDone (i32.lt_u (local.get $left) (i32.const 16)))
          (call VALUELine
            (local.get $source) (local.get $some) (local.get $pitch) (local.get $to) (local.get $change)
            (local.get $isFirst))
          (local.set $source (i32.add (local.get $source) (i32.const 64)))
          (local.set $to (i32.add (local.get $to) (i32.const 128)))
          (local.set $left (i32.sub (local.get $left) (i32.const 16)))
          (br $nextLine)))
      (block $quadsDone
        (loop $nextQuad
          (br_if $quadsDone (i32.lt_u (local.get $left) (i32.const 4)))
          (call VALUEQuad
            (local.get $source) (local.get $some) (local.get $pitch) (local.get $to) (local.get $change)
            (local.get $isFirst) (local.get $left))
          (local.set $source (i32.add (local.get $source) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 32)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (if (local.get $left)
        (then
          (call VALUESome
            (local.get $source) (local.get $some) (local.get $pitch) (local.get $to) (local.get $change)
            (local.get $isFirst) (local.get $left))))
      (local.set $isFirst (i32.const 0))
      (local.set $from (i32.add (local.get $from) (i32.mul (local.get $some) (local.get $pitch))))
      (br_if $nextRows (local.tee $rows (i32.sub (local.get $rows) (local.get $some))))))
  ;; end
)
