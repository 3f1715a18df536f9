;; moments.wat: mean and variance along rows or down columns, for the CPU device, WebAssembly SIMD.
;;
;; Computes    mean = Σ x / n,  variance = Σ (x - mean)² / n, from d = x - k, where k is the middle one of three elements of a
;;             row, or of a column in a block of rows: mean = k + Σ d / n, variance = (Σ d² - (Σ d)² / n) / n
;; Parameters  momentsRows: from, pitch, count: address, bytes from one row to the next, how many; strips, stripPitch, columns:
;;             what is reduced, columns being contiguous; mean, variance: where the results go
;;             columnPairs: Σ d and Σ d² of a block of rows: see column_pairs.wat; `other` is as far behind
;;             `from` as the second of the three elements, the middle one, behind the first; centers is the block's first row. joinMoments: parts, partBytes, stride: what columnPairs left, one block behind the other;
;;             from, blockBytes: the columns, and bytes from one block of rows to the next; blocks, rows, step, lastRows, lastStep:
;;             how many, rows of each, bytes from one of the three elements to the next, and those of the last one; columns; mean, variance
;; Method      Σ d and Σ d² in float32 for 64 rows, or for 256 elements of a row, then in float64. Blocks have a k each: one
;;             that is far from the mean would cost digits, and a single outlier is never the middle one of three. To the k of the first block,
;;             e = k - k0 away, Σ (d + e) = Σ d + m · e and Σ (d + e)² = Σ d² + e · (2 · Σ d + m · e), m being the rows.
;; Cost        4 B read an element, four operations: bound by memory bandwidth beyond the caches
;; Accuracy    never E[x²] - E[x]²: d keeps all digits where x is large and differs by little
;; Edges       an infinity gives an infinite mean, and the variance NaN; nothing to reduce is left to the reference
;; Source      Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983: shifted data
;; Reference   lib/ops/reduce/moments.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join reduce/double_sums.wat

  ;; The middle one of three numbers, or 0 where it is not finite.
  (func $middle (param $a v128) (param $b v128) (param $c v128) (result v128)
    (call $finiteOrZero
      (f32x4.max
        (f32x4.min (local.get $a) (local.get $b))
        (f32x4.min (f32x4.max (local.get $a) (local.get $b)) (local.get $c)))))

  ;; Σ d and Σ d² of 16 columns.
  (func $pairLine
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $centers i32) (param $to i32)
    (param $stride i32)
    (local $x v128)
    (local $center0 v128) (local $center1 v128) (local $center2 v128) (local $center3 v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (local $product0 v128) (local $product1 v128) (local $product2 v128) (local $product3 v128) (local $step i32)
    (local.set $step (i32.sub (local.get $other) (local.get $from)))
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
    (local.set $centerNAME
      (call $middle
        (v128.load VALUE (local.get $centers))
        (v128.load VALUE (i32.add (local.get $centers) (local.get $step)))
        (v128.load VALUE (i32.add (local.get $centers) (i32.shl (local.get $step) (i32.const 1))))))
  ;; end
    (loop $next
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
      (local.set $x (f32x4.sub (v128.load VALUE (local.get $from)) (local.get $centerNAME)))
      (local.set $sumNAME (f32x4.add (local.get $sumNAME) (local.get $x)))
      (local.set $productNAME (f32x4.add (local.get $productNAME) (f32x4.mul (local.get $x) (local.get $x))))
  ;; end
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
  ;; rows
  ;;   sum      (local.get $to)
  ;;   product  (i32.add (local.get $to) (local.get $stride))
  ;; for each row
    (local.set $to VALUE)
    (call $addTo (local.get $to) (local.get $NAME0))
    (call $addTo (i32.add (local.get $to) (i32.const 32)) (local.get $NAME1))
    (call $addTo (i32.add (local.get $to) (i32.const 64)) (local.get $NAME2))
    (call $addTo (i32.add (local.get $to) (i32.const 96)) (local.get $NAME3))
  ;; end
    )

  ;; The same of the first `columns` of four columns.
  (func $pairQuad
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $columns i32) (param $centers i32)
    (param $to i32) (param $stride i32)
    (local $x v128) (local $center v128) (local $sum v128) (local $product v128) (local $step i32)
    (local.set $step (i32.sub (local.get $other) (local.get $from)))
    (local.set $center
      (call $middle
        (call $loadUpToFour (local.get $centers) (local.get $columns))
        (call $loadUpToFour (i32.add (local.get $centers) (local.get $step)) (local.get $columns))
        (call $loadUpToFour
          (i32.add (local.get $centers) (i32.shl (local.get $step) (i32.const 1)))
          (local.get $columns))))
    (loop $next
      (local.set $x (f32x4.sub (call $loadUpToFour (local.get $from) (local.get $columns)) (local.get $center)))
      (local.set $sum (f32x4.add (local.get $sum) (local.get $x)))
      (local.set $product (f32x4.add (local.get $product) (f32x4.mul (local.get $x) (local.get $x))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
    (call $addTo (local.get $to) (local.get $sum))
    (call $addTo (i32.add (local.get $to) (local.get $stride)) (local.get $product)))

  ;; join reduce/column_pairs.wat

  ;; The k of a column, or of a row: of its elements at an address and 1 and 2 steps behind.
  (func $shiftAt (param $at i32) (param $step i32) (result f64)
    (f64.promote_f32
      (f32x4.extract_lane 0
        (call $middle
          (v128.load32_zero (local.get $at))
          (v128.load32_zero (i32.add (local.get $at) (local.get $step)))
          (v128.load32_zero (i32.add (local.get $at) (i32.shl (local.get $step) (i32.const 1))))))))

  ;; Stores mean and variance of n numbers, given Σ d and Σ d².
  (func $finish (param $shift f64) (param $sum f64) (param $squares f64) (param $n f64) (param $mean i32) (param $variance i32)
    (local $average f64)
    (local.set $average (f64.div (local.get $sum) (local.get $n)))
    (f32.store (local.get $mean) (f32.demote_f64 (f64.add (local.get $shift) (local.get $average))))
    (f32.store (local.get $variance)
      (f32.demote_f64
        (f64.div
          (f64.max (f64.const 0)
            (f64.sub (local.get $squares) (f64.mul (local.get $sum) (local.get $average))))
          (local.get $n)))))

  (func (export "joinMoments")
    (param $parts i32) (param $partBytes i32) (param $stride i32) (param $from i32) (param $blockBytes i32)
    (param $blocks i32) (param $rows f64) (param $step i32) (param $lastRows f64) (param $lastStep i32) (param $columns i32) (param $mean i32) (param $variance i32)
    (local $block i32) (local $part i32) (local $first i32)
    (local $m f64) (local $e f64) (local $some f64) (local $shift f64) (local $sum f64) (local $squares f64) (local $n f64)
    (local $ownStep i32)
    (loop $nextColumn
      (local.set $ownStep (local.get $step))
      (local.set $shift (call $shiftAt (local.get $from) (local.get $ownStep)))
      (local.set $sum (f64.const 0))
      (local.set $squares (f64.const 0))
      (local.set $n (f64.const 0))
      (local.set $m (local.get $rows))
      (local.set $first (local.get $from))
      (local.set $part (local.get $parts))
      (local.set $block (local.get $blocks))
      (loop $nextBlock
        (if (i32.eq (local.get $block) (i32.const 1)) (then
            (local.set $m (local.get $lastRows))
            (local.set $ownStep (local.get $lastStep))))
        (local.set $some (f64.load (local.get $part)))
        (local.set $e (f64.sub (call $shiftAt (local.get $first) (local.get $ownStep)) (local.get $shift)))
        (local.set $sum
          (f64.add (local.get $sum) (f64.add (local.get $some) (f64.mul (local.get $m) (local.get $e)))))
        (local.set $squares
          (f64.add (local.get $squares)
            (f64.add
              (f64.load (i32.add (local.get $part) (local.get $stride)))
              (f64.mul (local.get $e)
                (f64.add (f64.mul (f64.const 2) (local.get $some)) (f64.mul (local.get $m) (local.get $e)))))))
        (local.set $n (f64.add (local.get $n) (local.get $m)))
        (local.set $part (i32.add (local.get $part) (local.get $partBytes)))
        (local.set $first (i32.add (local.get $first) (local.get $blockBytes)))
        (br_if $nextBlock (local.tee $block (i32.sub (local.get $block) (i32.const 1)))))
      (call $finish
        (local.get $shift) (local.get $sum) (local.get $squares) (local.get $n) (local.get $mean) (local.get $variance))
      (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $mean (i32.add (local.get $mean) (i32.const 4)))
      (local.set $variance (i32.add (local.get $variance) (i32.const 4)))
      (br_if $nextColumn (local.tee $columns (i32.sub (local.get $columns) (i32.const 1))))))

  ;; The four numbers of a vector, added up in float64.
  (func $total (param $s v128) (result f64)
    (local $low v128)
    (local.set $low
      (f64x2.add
        (f64x2.promote_low_f32x4 (local.get $s))
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $s) (local.get $s)))))
    (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low))))

  (func (export "momentsRows")
    (param $from i32) (param $pitch i32) (param $count i32) (param $strips i32) (param $stripPitch i32)
    (param $columns i32) (param $mean i32) (param $variance i32)
    (local $strip i32) (local $source i32) (local $left i32) (local $some i32)
    (local $shift v128) (local $x v128) (local $y v128)
    (local $sumA v128) (local $sumB v128) (local $squaresA v128) (local $squaresB v128)
    (local $sum f64) (local $squares f64)
    (loop $nextRow
      (local.set $shift
        (f32x4.splat
          (f32.demote_f64
            (call $shiftAt (local.get $from)
              (i32.shl (i32.shr_u (i32.sub (local.get $columns) (i32.const 1)) (i32.const 1)) (i32.const 2))))))
      (local.set $sum (f64.const 0))
      (local.set $squares (f64.const 0))
      (local.set $strip (i32.const 0))
      (loop $nextStrip
        (local.set $source
          (i32.add (local.get $from) (i32.mul (local.get $strip) (local.get $stripPitch))))
        (local.set $left (local.get $columns))
        (loop $nextPart
          (local.set $sumA (f32x4.splat (f32.const 0)))
          (local.set $sumB (local.get $sumA))
          (local.set $squaresA (local.get $sumA))
          (local.set $squaresB (local.get $sumA))
          (local.set $some (i32.const 32))
          (block $eightsDone
            (loop $nextEight
              (br_if $eightsDone (i32.lt_u (local.get $left) (i32.const 8)))
              (local.set $x (f32x4.sub (v128.load (local.get $source)) (local.get $shift)))
              (local.set $y (f32x4.sub (v128.load offset=16 (local.get $source)) (local.get $shift)))
              (local.set $sumA (f32x4.add (local.get $sumA) (local.get $x)))
              (local.set $sumB (f32x4.add (local.get $sumB) (local.get $y)))
              (local.set $squaresA
                (f32x4.add (local.get $squaresA) (f32x4.mul (local.get $x) (local.get $x))))
              (local.set $squaresB
                (f32x4.add (local.get $squaresB) (f32x4.mul (local.get $y) (local.get $y))))
              (local.set $source (i32.add (local.get $source) (i32.const 32)))
              (local.set $left (i32.sub (local.get $left) (i32.const 8)))
              (br_if $nextEight (local.tee $some (i32.sub (local.get $some) (i32.const 1))))))
          (if (i32.lt_u (local.get $left) (i32.const 8))
            (then
              (if (i32.ge_u (local.get $left) (i32.const 4))
                (then
                  (local.set $x (f32x4.sub (v128.load (local.get $source)) (local.get $shift)))
                  (local.set $sumA (f32x4.add (local.get $sumA) (local.get $x)))
                  (local.set $squaresA
                    (f32x4.add (local.get $squaresA) (f32x4.mul (local.get $x) (local.get $x))))
                  (local.set $source (i32.add (local.get $source) (i32.const 16)))
                  (local.set $left (i32.sub (local.get $left) (i32.const 4)))))
              (local.set $x
                (f32x4.sub
                  (call $loadSome (local.get $source) (local.get $left) (local.get $shift))
                  (local.get $shift)))
              (local.set $sumB (f32x4.add (local.get $sumB) (local.get $x)))
              (local.set $squaresB
                (f32x4.add (local.get $squaresB) (f32x4.mul (local.get $x) (local.get $x))))
              (local.set $left (i32.const 0))))
          (local.set $sum
            (f64.add (local.get $sum) (call $total (f32x4.add (local.get $sumA) (local.get $sumB)))))
          (local.set $squares
            (f64.add (local.get $squares)
              (call $total (f32x4.add (local.get $squaresA) (local.get $squaresB)))))
          (br_if $nextPart (local.get $left)))
        (local.set $strip (i32.add (local.get $strip) (i32.const 1)))
        (br_if $nextStrip (i32.lt_u (local.get $strip) (local.get $strips))))
      (call $finish
        (f64.promote_f32 (f32x4.extract_lane 0 (local.get $shift)))
        (local.get $sum) (local.get $squares)
        (f64.convert_i32_u (i32.mul (local.get $strips) (local.get $columns)))
        (local.get $mean) (local.get $variance))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $mean (i32.add (local.get $mean) (i32.const 4)))
      (local.set $variance (i32.add (local.get $variance) (i32.const 4)))
      (br_if $nextRow (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
)
