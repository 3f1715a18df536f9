;; depthwise_weight_gradient.wat: the gradient of a depthwise convolution's weight, over channels-last pictures, for the CPU
;; device, WebAssembly SIMD.
;;
;; Computes    weight[r, s, c] = Σ picture[n, v, u, c] · output[n, y, x, c] over n, y, x, for `count` channels from `first`
;;             on, with v = strideY · y + offsetY + stepY · r, u = strideX · x + offsetX + stepX · s, where there is such a
;;             place of the picture; output is the gradient of the convolution's output
;; Parameters  picture, height, width; output, rows, columns; pictures, channels, first, count: at most 28 channels; weight;
;;             tapRows, tapColumns; strideY, strideX, stepY, stepX, offsetY, offsetX; inside, outside: the x from which on,
;;             and before which, all columns of the window are in the picture; rowsAtOnce; sums, in scratch memory
;; three       windows of three columns and up to three rows, four channels or more: depthwise_weight_three.wat
;; windows     any window: a tap after the other, two loads a product
;; Order       `rowsAtOnce` rows of the output at a time, counted on over all pictures, so few that these channels of them
;;             and of the picture stay in the first-level cache for all taps and all channels
;; Cost        2 · tapRows · tapColumns flop an element of the output; both tensors are read from memory once
;; Accuracy    sums of the rows that are done at once are f32, and added to sums in float64: one rounding in the end
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Edges       places outside of the picture are left out. Of channels that are no multiple of four the last four overlap
;;             those before them; `windows` takes fewer than four one by one
;; Scratch     32 B a tap and four channels, `three` of nine taps: the sums in float64
;; Reference   lib/ops/convolution/depthwise-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  ;; The four channels of a part of the channels, the last of which end with these.
  (func $fourth (param $first i32) (param $quad i32) (param $channels i32) (result i32)
    (local.set $first (i32.add (local.get $first) (i32.shl (local.get $quad) (i32.const 2))))
    (local.set $channels (i32.sub (local.get $channels) (i32.const 4)))
    (if (i32.lt_s (local.get $channels) (i32.const 0)) (then (return (local.get $first))))
    (select (local.get $first) (local.get $channels) (i32.lt_u (local.get $first) (local.get $channels))))

  ;; Adds four sums to those in float64.
  (func $addSums (param $to i32) (param $sums v128)
    (v128.store (local.get $to)
      (f64x2.add (v128.load (local.get $to)) (f64x2.promote_low_f32x4 (local.get $sums))))
    (v128.store offset=16 (local.get $to)
      (f64x2.add
        (v128.load offset=16 (local.get $to))
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $sums) (local.get $sums))))))

  ;; Stores the sums in float64 as the weight's gradient.
  (func $storeWeight
    (param $weight i32) (param $taps i32) (param $channels i32) (param $first i32) (param $quads i32) (param $sums i32)
    (local $quad i32) (local $value v128) (local $to i32)
    (loop $nextTap
      (local.set $quad (i32.const 0))
      (loop $nextQuad
        (local.set $to
          (i32.add (local.get $weight)
            (i32.shl (call $fourth (local.get $first) (local.get $quad) (local.get $channels)) (i32.const 2))))
        (local.set $value
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
            (f32x4.demote_f64x2_zero (v128.load (local.get $sums)))
            (f32x4.demote_f64x2_zero (v128.load offset=16 (local.get $sums)))))
        (if (i32.ge_u (local.get $channels) (i32.const 4))
          (then (v128.store (local.get $to) (local.get $value)))
          (else (call $storeSome (local.get $to) (local.get $channels) (local.get $value))))
        (local.set $sums (i32.add (local.get $sums) (i32.const 32)))
        (br_if $nextQuad
          (i32.lt_u (local.tee $quad (i32.add (local.get $quad) (i32.const 1))) (local.get $quads))))
      (local.set $weight (i32.add (local.get $weight) (i32.shl (local.get $channels) (i32.const 2))))
      (br_if $nextTap (local.tee $taps (i32.sub (local.get $taps) (i32.const 1))))))

  ;; join convolution/depthwise_weight_three.wat

  ;; The sum of products of a row of the output and of the picture, of four channels, or of fewer.
  (func $dotRow
    (param $output i32) (param $pixel i32) (param $picture i32) (param $step i32) (param $places i32) (param $count i32)
    (param $sum v128)
    (result v128)
    (local $g v128) (local $value v128)
    (loop $next
      (if (i32.ge_u (local.get $count) (i32.const 4))
        (then
          (local.set $g (v128.load (local.get $output)))
          (local.set $value (v128.load (local.get $picture))))
        (else
          (local.set $g (call $loadSome (local.get $output) (local.get $count) (i32x4.splat (i32.const 0))))
          (local.set $value (call $loadSome (local.get $picture) (local.get $count) (i32x4.splat (i32.const 0))))))
      (local.set $sum (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sum)))
      (local.set $output (i32.add (local.get $output) (local.get $pixel)))
      (local.set $picture (i32.add (local.get $picture) (local.get $step)))
      (br_if $next (local.tee $places (i32.sub (local.get $places) (i32.const 1)))))
    (local.get $sum))

  ;; The first x, at least 0, whose column stride · x + offset is not below `least`.
  (func $firstFrom (param $least i32) (param $offset i32) (param $stride i32) (result i32)
    (local.set $least (i32.sub (local.get $least) (local.get $offset)))
    (if (i32.le_s (local.get $least) (i32.const 0)) (then (return (i32.const 0))))
    (i32.div_u (i32.add (local.get $least) (i32.sub (local.get $stride) (i32.const 1))) (local.get $stride)))

  (func (export "windows")
    (param $picture i32) (param $height i32) (param $width i32) (param $output i32) (param $rows i32) (param $columns i32)
    (param $pictures i32) (param $channels i32) (param $first i32) (param $count i32) (param $weight i32)
    (param $tapRows i32) (param $tapColumns i32) (param $strideY i32) (param $strideX i32) (param $stepY i32)
    (param $stepX i32) (param $offsetY i32) (param $offsetX i32) (param $inside i32) (param $outside i32)
    (param $rowsAtOnce i32) (param $sums i32)
    (local $pixel i32) (local $quads i32) (local $quad i32) (local $to i32) (local $from i32)
    (local $end i32) (local $all i32) (local $r i32) (local $s i32) (local $row i32) (local $y i32) (local $n i32)
    (local $v i32) (local $x i32) (local $channel i32) (local $sum v128) (local $offset i32)
    (local.set $pixel (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $quads (i32.shr_u (i32.add (local.get $count) (i32.const 3)) (i32.const 2)))
    (call $fillElements (local.get $sums)
      (i32.shl
        (i32.mul (i32.mul (local.get $quads) (local.get $tapRows)) (local.get $tapColumns))
        (i32.const 3))
      (i32x4.splat (i32.const 0)))
    (local.set $all (i32.mul (local.get $pictures) (local.get $rows)))
    (block $done
      (loop $nextBlock
        (br_if $done (i32.ge_u (local.get $from) (local.get $all)))
        (local.set $end (i32.add (local.get $from) (local.get $rowsAtOnce)))
        (local.set $end (select (local.get $end) (local.get $all) (i32.lt_u (local.get $end) (local.get $all))))
        (local.set $to (local.get $sums))
        (local.set $r (i32.const 0))
        (loop $nextTapRow
          (local.set $s (i32.const 0))
          (loop $nextTap
            ;; The places of the output that have this column: from x, up to `inside`.
            (local.set $offset (i32.add (local.get $offsetX) (i32.mul (local.get $s) (local.get $stepX))))
            (local.set $x (call $firstFrom (i32.const 0) (local.get $offset) (local.get $strideX)))
            (local.set $inside (call $firstFrom (local.get $width) (local.get $offset) (local.get $strideX)))
            (local.set $inside
              (select (local.get $inside) (local.get $columns) (i32.lt_u (local.get $inside) (local.get $columns))))
            (local.set $quad (i32.const 0))
            (loop $nextQuad
              (local.set $channel
                (i32.shl (call $fourth (local.get $first) (local.get $quad) (local.get $channels)) (i32.const 2)))
              (local.set $sum (f32x4.splat (f32.const 0)))
              (local.set $row (local.get $from))
              (local.set $n (i32.div_u (local.get $row) (local.get $rows)))
              (local.set $y (i32.rem_u (local.get $row) (local.get $rows)))
              (loop $nextRow
                (local.set $v
                  (i32.add
                    (i32.add (i32.mul (local.get $y) (local.get $strideY)) (local.get $offsetY))
                    (i32.mul (local.get $r) (local.get $stepY))))
                (if
                  (i32.and
                    (i32.lt_u (local.get $v) (local.get $height))
                    (i32.lt_u (local.get $x) (local.get $inside)))
                  (then
                    (local.set $sum
                      (call $dotRow
                        (i32.add
                          (i32.add (local.get $output) (local.get $channel))
                          (i32.mul
                            (i32.add (i32.mul (local.get $row) (local.get $columns)) (local.get $x))
                            (local.get $pixel)))
                        (local.get $pixel)
                        (i32.add
                          (i32.add (local.get $picture) (local.get $channel))
                          (i32.mul
                            (i32.add
                              (i32.mul
                                (i32.add (i32.mul (local.get $n) (local.get $height)) (local.get $v))
                                (local.get $width))
                              (i32.add (i32.mul (local.get $x) (local.get $strideX)) (local.get $offset)))
                            (local.get $pixel)))
                        (i32.mul (local.get $strideX) (local.get $pixel))
                        (i32.sub (local.get $inside) (local.get $x))
                        (local.get $channels)
                        (local.get $sum)))))
                (if (i32.eq (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $rows))
                  (then
                    (local.set $y (i32.const 0))
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))))
                (br_if $nextRow
                  (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $end))))
              (call $addSums (local.get $to) (local.get $sum))
              (local.set $to (i32.add (local.get $to) (i32.const 32)))
              (br_if $nextQuad
                (i32.lt_u (local.tee $quad (i32.add (local.get $quad) (i32.const 1))) (local.get $quads))))
            (br_if $nextTap
              (i32.lt_u (local.tee $s (i32.add (local.get $s) (i32.const 1))) (local.get $tapColumns))))
          (br_if $nextTapRow
            (i32.lt_u (local.tee $r (i32.add (local.get $r) (i32.const 1))) (local.get $tapRows))))
        (local.set $from (local.get $end))
        (br $nextBlock)))
    (call $storeWeight
      (local.get $weight) (i32.mul (local.get $tapRows) (local.get $tapColumns)) (local.get $channels)
      (local.get $first) (local.get $quads) (local.get $sums)))
)
