;; channels.wat: what normalizes the values of channels, and the gradient of it, on a block of rows, for the CPU device,
;; WebAssembly SIMD. The channels are the columns.
;;
;; Computes    normalizeChannels: (x - mean) / √(variance + epsilon) · weight + bias
;;             normalizeBatchInputGradient: weight / √(variance + epsilon) · (dy - share · (biasGradient + x̂ · weightGradient)),
;;             x̂ = (x - mean) / √(variance + epsilon)
;; Parameters  of each operand address, bytes from one row to the next, and whether it goes on along a row (1) or is one value for
;;             all of it (0); to, toPitch; rows, columns; epsilon; share, 1 / n. Those of the channels have the same
;;             pitch, 0 where a row holds all channels, and the same step. `to` may be x or dy.
;;             The gradient takes scratch memory, four vectors for four channels.
;; Method      normalizeChannels: 64 rows at a time, where their channels are the same; of these 16 columns (a cache line), then
;;             four, then what is left. The gradient: row by row, because three tensors that are larger than the caches are read
;;             and written three times as fast in order; rows of 16 channels in a loop of their own. What is the same for all
;;             rows is computed once for them.
;; Cost        8 B moved an element, and three operations; for the gradient 12 B and five: bound by memory bandwidth beyond
;;             the caches
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one: nothing beside it is written
;; Reference   lib/ops/normalize/channels.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  ;; Up to four elements, of which `count` are there; or one of them, where it does not go on.
  (func $loadUpToFour (param $from i32) (param $step i32) (param $count i32) (result v128)
    (if (result v128) (local.get $step)
      (then
        (if (result v128) (i32.ge_u (local.get $count) (i32.const 4))
          (then (v128.load (local.get $from)))
          (else (call $loadSome (local.get $from) (local.get $count) (f32x4.splat (f32.const 1))))))
      (else (v128.load32_splat (local.get $from)))))

  (func $storeUpToFour (param $to i32) (param $count i32) (param $value v128)
    (if (i32.ge_u (local.get $count) (i32.const 4))
      (then (v128.store (local.get $to) (local.get $value)))
      (else (call $storeSome (local.get $to) (local.get $count) (local.get $value)))))

  (func $inverse (param $variance v128) (param $epsilon v128) (result v128)
    (f32x4.div
      (f32x4.splat (f32.const 1))
      (f32x4.sqrt (f32x4.add (local.get $variance) (local.get $epsilon)))))

  (func $normalizeLine
    (param $from i32) (param $pitch i32) (param $mean i32) (param $variance i32) (param $weight i32) (param $bias i32)
    (param $to i32) (param $toPitch i32) (param $rows i32) (param $epsilon v128)
    (local $mean0 v128) (local $mean1 v128) (local $mean2 v128) (local $mean3 v128)
    (local $scale0 v128) (local $scale1 v128) (local $scale2 v128) (local $scale3 v128)
    (local $bias0 v128) (local $bias1 v128) (local $bias2 v128) (local $bias3 v128)
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
    (local.set $meanNAME (v128.load VALUE (local.get $mean)))
    (local.set $biasNAME (v128.load VALUE (local.get $bias)))
    (local.set $scaleNAME
      (f32x4.mul
        (call $inverse (v128.load VALUE (local.get $variance)) (local.get $epsilon))
        (v128.load VALUE (local.get $weight))))
  ;; end
    (loop $next
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
      (v128.store VALUE (local.get $to)
        (f32x4.add
          (f32x4.mul
            (f32x4.sub (v128.load VALUE (local.get $from)) (local.get $meanNAME))
            (local.get $scaleNAME))
          (local.get $biasNAME)))
  ;; end
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "normalizeChannels")
    (param $from i32) (param $pitch i32) (param $step i32)
    (param $mean i32) (param $meanPitch i32) (param $meanStep i32)
    (param $variance i32) (param $variancePitch i32) (param $varianceStep i32)
    (param $weight i32) (param $weightPitch i32) (param $weightStep i32)
    (param $bias i32) (param $biasPitch i32) (param $biasStep i32)
    (param $to i32) (param $toPitch i32) (param $rows i32) (param $columns i32) (param $epsilon f32)
    (local $some i32) (local $left i32) (local $at i32) (local $channel i32)
    (local $source i32) (local $target i32) (local $row i32)
    (local $a v128) (local $b v128) (local $center v128) (local $added v128)
    (local.set $added (f32x4.splat (local.get $epsilon)))
    (loop $nextRows
      (local.set $some
        (select (i32.const 64) (local.get $rows) (i32.ge_u (local.get $rows) (i32.const 64))))
      (if (local.get $meanPitch) (then (local.set $some (i32.const 1))))
      (local.set $left (local.get $columns))
      (local.set $at (i32.const 0))
      (if (local.get $meanStep)
        (then
          (block $linesDone
            (loop $nextLine
              (br_if $linesDone (i32.lt_u (local.get $left) (i32.const 16)))
              (call $normalizeLine
                (i32.add (local.get $from) (local.get $at)) (local.get $pitch)
                (i32.add (local.get $mean) (local.get $at)) (i32.add (local.get $variance) (local.get $at))
                (i32.add (local.get $weight) (local.get $at)) (i32.add (local.get $bias) (local.get $at))
                (i32.add (local.get $to) (local.get $at)) (local.get $toPitch) (local.get $some) (local.get $added))
              (local.set $at (i32.add (local.get $at) (i32.const 64)))
              (local.set $left (i32.sub (local.get $left) (i32.const 16)))
              (br $nextLine)))))
      (block $quadsDone
        (loop $nextQuad
          (br_if $quadsDone (i32.le_s (local.get $left) (i32.const 0)))
          (local.set $channel (select (local.get $at) (i32.const 0) (local.get $meanStep)))
          (local.set $center
            (call $loadUpToFour
              (i32.add (local.get $mean) (local.get $channel)) (local.get $meanStep) (local.get $left)))
          (local.set $b
            (call $loadUpToFour
              (i32.add (local.get $bias) (local.get $channel)) (local.get $meanStep) (local.get $left)))
          (local.set $a
            (f32x4.mul
              (call $inverse
                (call $loadUpToFour
                  (i32.add (local.get $variance) (local.get $channel)) (local.get $meanStep) (local.get $left))
                (local.get $added))
              (call $loadUpToFour
                (i32.add (local.get $weight) (local.get $channel)) (local.get $meanStep) (local.get $left))))
          (local.set $source (i32.add (local.get $from) (local.get $at)))
          (local.set $target (i32.add (local.get $to) (local.get $at)))
          (local.set $row (local.get $some))
          (loop $nextRow
            (call $storeUpToFour (local.get $target) (local.get $left)
              (f32x4.add
                (f32x4.mul
                  (f32x4.sub
                    (call $loadUpToFour (local.get $source) (i32.const 1) (local.get $left))
                    (local.get $center))
                  (local.get $a))
                (local.get $b)))
            (local.set $source (i32.add (local.get $source) (local.get $pitch)))
            (local.set $target (i32.add (local.get $target) (local.get $toPitch)))
            (br_if $nextRow (local.tee $row (i32.sub (local.get $row) (i32.const 1)))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (local.set $from (i32.add (local.get $from) (i32.mul (local.get $some) (local.get $pitch))))
      (local.set $to (i32.add (local.get $to) (i32.mul (local.get $some) (local.get $toPitch))))
      (local.set $mean (i32.add (local.get $mean) (local.get $meanPitch)))
      (local.set $variance (i32.add (local.get $variance) (local.get $variancePitch)))
      (local.set $weight (i32.add (local.get $weight) (local.get $weightPitch)))
      (local.set $bias (i32.add (local.get $bias) (local.get $biasPitch)))
      (br_if $nextRows (local.tee $rows (i32.sub (local.get $rows) (local.get $some))))))

  ;; The gradient of 16 channels in some rows. What was prepared for them is at $prepared, and three times `stride` behind.
  (func $gradientLine
    (param $dy i32) (param $dyPitch i32) (param $from i32) (param $pitch i32) (param $prepared i32) (param $stride i32)
    (param $to i32) (param $toPitch i32) (param $rows i32)
    (local $factors i32) (local $scales i32) (local $centers i32)
    (local.set $factors (i32.add (local.get $prepared) (local.get $stride)))
    (local.set $scales (i32.add (local.get $factors) (local.get $stride)))
    (local.set $centers (i32.add (local.get $scales) (local.get $stride)))
    (loop $next
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
      (v128.store VALUE (local.get $to)
        (f32x4.mul
          (f32x4.sub
            (f32x4.sub (v128.load VALUE (local.get $dy)) (v128.load VALUE (local.get $prepared)))
            (f32x4.mul
              (f32x4.sub (v128.load VALUE (local.get $from)) (v128.load VALUE (local.get $centers)))
              (v128.load VALUE (local.get $factors))))
          (v128.load VALUE (local.get $scales))))
  ;; end
      (local.set $dy (i32.add (local.get $dy) (local.get $dyPitch)))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "normalizeBatchInputGradient")
    (param $dy i32) (param $dyPitch i32) (param $dyStep i32)
    (param $from i32) (param $pitch i32) (param $step i32)
    (param $mean i32) (param $meanPitch i32) (param $meanStep i32)
    (param $variance i32) (param $variancePitch i32) (param $varianceStep i32)
    (param $weight i32) (param $weightPitch i32) (param $weightStep i32)
    (param $weightGradient i32) (param $weightGradientPitch i32) (param $weightGradientStep i32)
    (param $biasGradient i32) (param $biasGradientPitch i32) (param $biasGradientStep i32)
    (param $to i32) (param $toPitch i32) (param $rows i32) (param $columns i32) (param $epsilon f32) (param $share f32)
    (param $scratch i32)
    (local $channels i32) (local $stride i32) (local $at i32) (local $left i32) (local $isPrepared i32)
    (local $scales i32) (local $source i32) (local $other i32) (local $target i32) (local $factors i32) (local $centers i32)
    (local $inverse v128) (local $added v128) (local $part v128)
    (local.set $added (f32x4.splat (local.get $epsilon)))
    (local.set $part (f32x4.splat (local.get $share)))
    ;; In scratch: what is subtracted from dy, what x - mean is multiplied by, the common factor, and the mean, of each channel.
    (local.set $channels (select (local.get $columns) (i32.const 1) (local.get $meanStep)))
    (local.set $stride (i32.and (i32.add (i32.shl (local.get $channels) (i32.const 2)) (i32.const 15)) (i32.const -16)))
    (loop $nextRow
      (if (i32.eqz (local.get $isPrepared))
        (then
          (local.set $isPrepared (i32.eqz (local.get $meanPitch)))
          (local.set $at (i32.const 0))
          (local.set $left (local.get $channels))
          (local.set $target (local.get $scratch))
          (loop $nextQuad
            (local.set $inverse
              (call $inverse
                (call $loadUpToFour
                  (i32.add (local.get $variance) (local.get $at)) (local.get $meanStep) (local.get $left))
                (local.get $added)))
            (v128.store (local.get $target)
              (f32x4.mul (local.get $part)
                (call $loadUpToFour
                  (i32.add (local.get $biasGradient) (local.get $at)) (local.get $meanStep) (local.get $left))))
            (v128.store (i32.add (local.get $target) (local.get $stride))
              (f32x4.mul (local.get $inverse)
                (f32x4.mul (local.get $part)
                  (call $loadUpToFour
                    (i32.add (local.get $weightGradient) (local.get $at)) (local.get $meanStep) (local.get $left)))))
            (v128.store (i32.add (local.get $target) (i32.shl (local.get $stride) (i32.const 1)))
              (f32x4.mul (local.get $inverse)
                (call $loadUpToFour
                  (i32.add (local.get $weight) (local.get $at)) (local.get $meanStep) (local.get $left))))
            (v128.store (i32.add (local.get $target) (i32.mul (local.get $stride) (i32.const 3)))
              (call $loadUpToFour
                (i32.add (local.get $mean) (local.get $at)) (local.get $meanStep) (local.get $left)))
            (local.set $target (i32.add (local.get $target) (i32.const 16)))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $nextQuad
              (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0))))))
      ;; Rows of one line each.
      (if (i32.and
            (i32.and (local.get $isPrepared) (i32.ne (local.get $meanStep) (i32.const 0)))
            (i32.eq (local.get $columns) (i32.const 16)))
        (then
          (call $gradientLine
            (local.get $dy) (local.get $dyPitch) (local.get $from) (local.get $pitch)
            (local.get $scratch) (local.get $stride) (local.get $to) (local.get $toPitch) (local.get $rows))
          (return)))
      (local.set $left (local.get $columns))
      (local.set $other (local.get $dy))
      (local.set $source (local.get $from))
      (local.set $target (local.get $to))
      (local.set $at (local.get $scratch))
      (local.set $scales (i32.add (local.get $scratch) (i32.shl (local.get $stride) (i32.const 1))))
      (block $linesDone
        (loop $nextLine
          (br_if $linesDone (i32.lt_u (local.get $left) (select (i32.const 16) (i32.const -1) (local.get $meanStep))))
          (local.set $factors (i32.add (local.get $at) (local.get $stride)))
          (local.set $centers (i32.add (local.get $scales) (local.get $stride)))
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
          (v128.store VALUE (local.get $target)
            (f32x4.mul
              (f32x4.sub
                (f32x4.sub (v128.load VALUE (local.get $other)) (v128.load VALUE (local.get $at)))
                (f32x4.mul
                  (f32x4.sub (v128.load VALUE (local.get $source)) (v128.load VALUE (local.get $centers)))
                  (v128.load VALUE (local.get $factors))))
              (v128.load VALUE (local.get $scales))))
  ;; end
          (local.set $other (i32.add (local.get $other) (i32.const 64)))
          (local.set $source (i32.add (local.get $source) (i32.const 64)))
          (local.set $target (i32.add (local.get $target) (i32.const 64)))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (local.set $scales (i32.add (local.get $scales) (i32.const 64)))
          (local.set $left (i32.sub (local.get $left) (i32.const 16)))
          (br $nextLine)))
      (block $quadsDone
        (loop $nextQuad
          (br_if $quadsDone (i32.le_s (local.get $left) (i32.const 0)))
          (local.set $factors (i32.add (local.get $at) (local.get $stride)))
          (local.set $centers (i32.add (local.get $scales) (local.get $stride)))
          (call $storeUpToFour (local.get $target) (local.get $left)
            (f32x4.mul
              (f32x4.sub
                (f32x4.sub
                  (call $loadUpToFour (local.get $other) (i32.const 1) (local.get $left))
                  (v128.load (local.get $at)))
                (f32x4.mul
                  (f32x4.sub
                    (call $loadUpToFour (local.get $source) (i32.const 1) (local.get $left))
                    (v128.load (local.get $centers)))
                  (v128.load (local.get $factors))))
              (v128.load (local.get $scales))))
          (local.set $other (i32.add (local.get $other) (i32.const 16)))
          (local.set $source (i32.add (local.get $source) (i32.const 16)))
          (local.set $target (i32.add (local.get $target) (i32.const 16)))
          (if (local.get $meanStep)
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (local.set $scales (i32.add (local.get $scales) (i32.const 16)))))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (local.set $dy (i32.add (local.get $dy) (local.get $dyPitch)))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (local.set $mean (i32.add (local.get $mean) (local.get $meanPitch)))
      (local.set $variance (i32.add (local.get $variance) (local.get $variancePitch)))
      (local.set $weight (i32.add (local.get $weight) (local.get $weightPitch)))
      (local.set $weightGradient (i32.add (local.get $weightGradient) (local.get $weightGradientPitch)))
      (local.set $biasGradient (i32.add (local.get $biasGradient) (local.get $biasGradientPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
