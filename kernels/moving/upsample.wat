;; upsample.wat: pictures in another size, and the gradient, for the CPU device, WebAssembly SIMD.
;;
;; Computes    upsample          to[n, row, column, c] = `from` between the elements around `row` and those around `column`
;;             upsampleGradient  to[n, y, x, c] = Σ from[n, row, column, c] · the share that (y, x) has in it
;; Parameters  from, to: addresses; first, count: lines of `to`, counted through all pictures; channels; whether the nearest
;;             element is taken; of rows and of columns size, to, step, start, denominator: output i of `to` lies at the place
;;             (i · step + start) / denominator of `size`; scratch: 16 B for each row and each column, and a line of sums
;; Method      places are divided once, into a table: the element before output i, the one behind it, and the part of the way
;;             between them. Lines first, whole, then columns: a line between two of the picture; a line's sum over the
;;             outputs that have a share in it, which follow one another
;; Cost        4 B moved an element of either tensor, and the lines in between in the cache; six instructions for four
;;             elements that are mixed, three for each share of four
;; Edges       channels beyond whole fours are loaded and stored one by one: nothing beside them is written
;; Reference   lib/ops/moving/upsample.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  ;; Output i, in 12 bytes. On an element, it is both of them, so that no other takes part, be it NaN.
  (func $enter
    (param $entry i32) (param $i i32) (param $isNearest i32)
    (param $size i32) (param $step i32) (param $start i32) (param $denominator i32)
    (local $place i32) (local $last i32) (local $lower i32)
    (local.set $last (i32.mul (i32.sub (local.get $size) (i32.const 1)) (local.get $denominator)))
    (local.set $place (i32.add (i32.mul (local.get $i) (local.get $step)) (local.get $start)))
    (local.set $place
      (select (local.get $place) (local.get $last) (i32.lt_s (local.get $place) (local.get $last))))
    (local.set $place
      (select (local.get $place) (i32.const 0) (i32.gt_s (local.get $place) (i32.const 0))))
    (local.set $lower (i32.div_s (local.get $place) (local.get $denominator)))
    (local.set $place (i32.sub (local.get $place) (i32.mul (local.get $lower) (local.get $denominator))))
    (i32.store (local.get $entry) (local.get $lower))
    (if (i32.or (local.get $isNearest) (i32.eqz (local.get $place)))
      (then
        (i32.store offset=4 (local.get $entry) (local.get $lower))
        (f32.store offset=8 (local.get $entry) (f32.const 0.5)))
      (else
        (i32.store offset=4 (local.get $entry) (i32.add (local.get $lower) (i32.const 1)))
        (f32.store offset=8 (local.get $entry)
          (f32.div (f32.convert_i32_s (local.get $place)) (f32.convert_i32_s (local.get $denominator)))))))

  ;; Entries for all outputs of an axis; the address behind them.
  (func $tabulate
    (param $table i32) (param $isNearest i32)
    (param $size i32) (param $to i32) (param $step i32) (param $start i32) (param $denominator i32) (result i32)
    (local $i i32)
    (loop $next
      (call $enter
        (local.get $table) (local.get $i) (local.get $isNearest)
        (local.get $size) (local.get $step) (local.get $start) (local.get $denominator))
      (local.set $table (i32.add (local.get $table) (i32.const 12)))
      (br_if $next (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $to))))
    (local.get $table))

  ;; to[i] = a[i] · (1 - part) + b[i] · part
  (func $mix (param $a i32) (param $b i32) (param $part f32) (param $to i32) (param $count i32)
    (local $x v128) (local $notX v128)
    (local.set $x (f32x4.splat (local.get $part)))
    (local.set $notX (f32x4.sub (f32x4.splat (f32.const 1)) (local.get $x)))
    (block $foursDone
      (loop $nextFour
        (br_if $foursDone (i32.lt_s (local.get $count) (i32.const 4)))
        (v128.store (local.get $to)
          (f32x4.add
            (f32x4.mul (v128.load (local.get $a)) (local.get $notX))
            (f32x4.mul (v128.load (local.get $b)) (local.get $x))))
        (local.set $a (i32.add (local.get $a) (i32.const 16)))
        (local.set $b (i32.add (local.get $b) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextFour)))
    (if (local.get $count)
      (then
        (call $storeQuad (local.get $to) (local.get $count)
          (f32x4.add
            (f32x4.mul (call $loadQuad (local.get $a) (local.get $count)) (local.get $notX))
            (f32x4.mul (call $loadQuad (local.get $b) (local.get $count)) (local.get $x)))))))

  (func (export "upsample")
    (param $from i32) (param $to i32) (param $first i32) (param $count i32) (param $channels i32) (param $isNearest i32)
    (param $height i32) (param $rows i32) (param $rowStep i32) (param $rowStart i32) (param $rowDenominator i32)
    (param $width i32) (param $columns i32) (param $columnStep i32) (param $columnStart i32)
    (param $columnDenominator i32) (param $table i32)
    (local $element i32) (local $pitch i32) (local $n i32) (local $picture i32) (local $line i32)
    (local $entry i32) (local $end i32) (local $mixed i32) (local $a i32)
    (local.set $element (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $pitch (i32.mul (local.get $width) (local.get $element)))
    ;; Columns, then the row, then a line between two of the picture.
    (local.set $end
      (call $tabulate
        (local.get $table) (local.get $isNearest)
        (local.get $width) (local.get $columns)
        (local.get $columnStep) (local.get $columnStart) (local.get $columnDenominator)))
    (local.set $mixed (i32.add (local.get $end) (i32.const 12)))
    (local.set $to
      (i32.add
        (local.get $to)
        (i32.mul (i32.mul (local.get $first) (local.get $columns)) (local.get $element))))
    (loop $nextRow
      (local.set $n (i32.div_u (local.get $first) (local.get $rows)))
      (call $enter
        (local.get $end)
        (i32.sub (local.get $first) (i32.mul (local.get $n) (local.get $rows)))
        (local.get $isNearest) (local.get $height)
        (local.get $rowStep) (local.get $rowStart) (local.get $rowDenominator))
      (local.set $picture
        (i32.add
          (local.get $from)
          (i32.mul (i32.mul (local.get $n) (local.get $height)) (local.get $pitch))))
      (local.set $line
        (i32.add (local.get $picture) (i32.mul (i32.load (local.get $end)) (local.get $pitch))))
      (if (i32.eqz (local.get $isNearest))
        (then
          (call $mix
            (local.get $line)
            (i32.add (local.get $picture) (i32.mul (i32.load offset=4 (local.get $end)) (local.get $pitch)))
            (f32.load offset=8 (local.get $end))
            (local.get $mixed)
            (i32.mul (local.get $width) (local.get $channels)))
          (local.set $line (local.get $mixed))))
      (local.set $entry (local.get $table))
      (loop $nextColumn
        (local.set $a
          (i32.add (local.get $line) (i32.mul (i32.load (local.get $entry)) (local.get $element))))
        (if (local.get $isNearest)
          (then (call $copyElements (local.get $a) (local.get $to) (local.get $channels)))
          (else
            (call $mix
              (local.get $a)
              (i32.add (local.get $line) (i32.mul (i32.load offset=4 (local.get $entry)) (local.get $element)))
              (f32.load offset=8 (local.get $entry))
              (local.get $to)
              (local.get $channels))))
        (local.set $to (i32.add (local.get $to) (local.get $element)))
        (br_if $nextColumn
          (i32.lt_u (local.tee $entry (i32.add (local.get $entry) (i32.const 12))) (local.get $end))))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $nextRow (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; The share of an element in an output.
  (func $shareOf (param $entry i32) (param $element i32) (result f32)
    (local $part f32)
    (local.set $part (f32.load offset=8 (local.get $entry)))
    (f32.add
      (select
        (f32.sub (f32.const 1) (local.get $part))
        (f32.const 0)
        (i32.eq (i32.load (local.get $entry)) (local.get $element)))
      (select
        (local.get $part)
        (f32.const 0)
        (i32.eq (i32.load offset=4 (local.get $entry)) (local.get $element)))))

  ;; From an entry on, the first that has a share in an element or in one behind it; and the first that has none in it, nor
  ;; in one before.
  (func $firstSharer (param $entry i32) (param $end i32) (param $element i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $entry) (local.get $end)))
        (br_if $done (i32.ge_s (i32.load offset=4 (local.get $entry)) (local.get $element)))
        (local.set $entry (i32.add (local.get $entry) (i32.const 12)))
        (br $next)))
    (local.get $entry))

  (func $endOfSharers (param $entry i32) (param $end i32) (param $element i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $entry) (local.get $end)))
        (br_if $done (i32.gt_s (i32.load (local.get $entry)) (local.get $element)))
        (local.set $entry (i32.add (local.get $entry) (i32.const 12)))
        (br $next)))
    (local.get $entry))

  ;; Writes the shares of an element in outputs that follow one another.
  (func $writeShares (param $to i32) (param $entry i32) (param $end i32) (param $element i32)
    (loop $next
      (f32.store (local.get $to) (call $shareOf (local.get $entry) (local.get $element)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $next
        (i32.lt_u (local.tee $entry (i32.add (local.get $entry) (i32.const 12))) (local.get $end)))))

  ;; to[i] = Σ from[k · pitch + i] · shares[k] over so many k
  (func $weighted
    (param $from i32) (param $pitch i32) (param $shares i32) (param $number i32) (param $to i32) (param $count i32)
    (local $at i32) (local $share i32) (local $end i32) (local $x v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $shares) (i32.shl (local.get $number) (i32.const 2))))
    (block $sixteensDone
      (loop $nextSixteen
        (br_if $sixteensDone (i32.lt_s (local.get $count) (i32.const 16)))
        (local.set $a (f32x4.splat (f32.const 0)))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (local.set $at (local.get $from))
        (local.set $share (local.get $shares))
        (loop $next
          (local.set $x (v128.load32_splat (local.get $share)))
          (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (v128.load (local.get $at)))))
          (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $x) (v128.load offset=16 (local.get $at)))))
          (local.set $c (f32x4.add (local.get $c) (f32x4.mul (local.get $x) (v128.load offset=32 (local.get $at)))))
          (local.set $d (f32x4.add (local.get $d) (f32x4.mul (local.get $x) (v128.load offset=48 (local.get $at)))))
          (local.set $at (i32.add (local.get $at) (local.get $pitch)))
          (br_if $next
            (i32.lt_u (local.tee $share (i32.add (local.get $share) (i32.const 4))) (local.get $end))))
        (v128.store (local.get $to) (local.get $a))
        (v128.store offset=16 (local.get $to) (local.get $b))
        (v128.store offset=32 (local.get $to) (local.get $c))
        (v128.store offset=48 (local.get $to) (local.get $d))
        (local.set $from (i32.add (local.get $from) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $count (i32.sub (local.get $count) (i32.const 16)))
        (br $nextSixteen)))
    (block $done
      (loop $nextFour
        (br_if $done (i32.le_s (local.get $count) (i32.const 0)))
        (local.set $a (f32x4.splat (f32.const 0)))
        (local.set $at (local.get $from))
        (local.set $share (local.get $shares))
        (loop $next
          (local.set $a
            (f32x4.add (local.get $a)
              (f32x4.mul
                (v128.load32_splat (local.get $share))
                (call $loadQuad (local.get $at) (local.get $count)))))
          (local.set $at (i32.add (local.get $at) (local.get $pitch)))
          (br_if $next
            (i32.lt_u (local.tee $share (i32.add (local.get $share) (i32.const 4))) (local.get $end))))
        (call $storeQuad (local.get $to) (local.get $count) (local.get $a))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextFour))))

  (func (export "upsampleGradient")
    (param $from i32) (param $to i32) (param $first i32) (param $count i32) (param $channels i32) (param $isNearest i32)
    (param $height i32) (param $rows i32) (param $rowStep i32) (param $rowStart i32) (param $rowDenominator i32)
    (param $width i32) (param $columns i32) (param $columnStep i32) (param $columnStart i32)
    (param $columnDenominator i32) (param $table i32)
    (local $element i32) (local $pitch i32) (local $ofColumns i32) (local $end i32) (local $summed i32) (local $n i32)
    (local $y i32) (local $x i32) (local $sharer i32) (local $endSharer i32)
    (local.set $element (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $pitch (i32.mul (local.get $columns) (local.get $element)))
    ;; Rows, columns, the shares of one element, then a line of sums over rows.
    (local.set $ofColumns
      (call $tabulate
        (local.get $table) (local.get $isNearest)
        (local.get $height) (local.get $rows) (local.get $rowStep) (local.get $rowStart) (local.get $rowDenominator)))
    (local.set $end
      (call $tabulate
        (local.get $ofColumns) (local.get $isNearest)
        (local.get $width) (local.get $columns)
        (local.get $columnStep) (local.get $columnStart) (local.get $columnDenominator)))
    (local.set $summed
      (i32.add (local.get $end) (i32.shl (i32.add (local.get $rows) (local.get $columns)) (i32.const 2))))
    (local.set $to
      (i32.add (local.get $to) (i32.mul (i32.mul (local.get $first) (local.get $width)) (local.get $element))))
    (loop $nextLine
      (local.set $n (i32.div_u (local.get $first) (local.get $height)))
      (local.set $y (i32.sub (local.get $first) (i32.mul (local.get $n) (local.get $height))))
      (local.set $sharer (call $firstSharer (local.get $table) (local.get $ofColumns) (local.get $y)))
      (local.set $endSharer (call $endOfSharers (local.get $sharer) (local.get $ofColumns) (local.get $y)))
      (if (i32.lt_u (local.get $sharer) (local.get $endSharer))
        (then
          (call $writeShares (local.get $end) (local.get $sharer) (local.get $endSharer) (local.get $y))
          (call $weighted
            (i32.add
              (local.get $from)
              (i32.mul
                (i32.add
                  (i32.mul (local.get $n) (local.get $rows))
                  (i32.div_u (i32.sub (local.get $sharer) (local.get $table)) (i32.const 12)))
                (local.get $pitch)))
            (local.get $pitch)
            (local.get $end)
            (i32.div_u (i32.sub (local.get $endSharer) (local.get $sharer)) (i32.const 12))
            (local.get $summed)
            (i32.mul (local.get $columns) (local.get $channels))))
        (else
          (call $fillElements
            (local.get $summed) (i32.mul (local.get $columns) (local.get $channels)) (f32x4.splat (f32.const 0)))))
      (local.set $sharer (local.get $ofColumns))
      (local.set $x (i32.const 0))
      (loop $nextElement
        (local.set $sharer (call $firstSharer (local.get $sharer) (local.get $end) (local.get $x)))
        (local.set $endSharer (call $endOfSharers (local.get $sharer) (local.get $end) (local.get $x)))
        (if (i32.lt_u (local.get $sharer) (local.get $endSharer))
          (then
            (call $writeShares (local.get $end) (local.get $sharer) (local.get $endSharer) (local.get $x))
            (call $weighted
              (i32.add
                (local.get $summed)
                (i32.mul
                  (i32.div_u (i32.sub (local.get $sharer) (local.get $ofColumns)) (i32.const 12))
                  (local.get $element)))
              (local.get $element)
              (local.get $end)
              (i32.div_u (i32.sub (local.get $endSharer) (local.get $sharer)) (i32.const 12))
              (local.get $to)
              (local.get $channels)))
          (else
            (call $fillElements (local.get $to) (local.get $channels) (f32x4.splat (f32.const 0)))))
        (local.set $to (i32.add (local.get $to) (local.get $element)))
        (br_if $nextElement
          (i32.lt_s (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $width))))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $nextLine (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
)
