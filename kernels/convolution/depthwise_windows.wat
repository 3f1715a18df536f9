;; depthwise_windows.wat: a window of its own for each channel, of any size, over channels-last pictures, for the CPU device,
;; WebAssembly SIMD: depthwise.wat has those of three columns, and says what is computed of what.
;;
;; Computes    to[n, y, x, c] = Σ_{r, s} from[n, v, u, c] · weight[r, s, c],  f32, as in depthwise.wat
;; Parameters  those of depthwise.wat
;; Method      A pixel after the other, 16 channels at a time, then four; what of the window lies outside is found once a
;;             pixel: the loops over taps have no tests. Two loads a product.
;; Cost        2 · tapRows · tapColumns flop and 8 B an element
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Edges       of channels that are no multiple of four the last four overlap those before them; fewer than four are taken one
;;             by one
;; Reference   lib/ops/convolution/depthwise-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  ;; How many of `taps` taps, `step` places apart, lie within the first `places` places: ⌈places / step⌉ at most.
  (func $tapsWithin (param $places i32) (param $step i32) (param $taps i32) (result i32)
    (local $count i32)
    (if (i32.le_s (local.get $places) (i32.const 0)) (then (return (i32.const 0))))
    (local.set $count
      (i32.div_u (i32.add (local.get $places) (i32.sub (local.get $step) (i32.const 1))) (local.get $step)))
    (select (local.get $count) (local.get $taps) (i32.lt_u (local.get $count) (local.get $taps))))

  ;; The same without the first `before` of them.
  (func $tapsBehind (param $before i32) (param $places i32) (param $step i32) (param $taps i32) (result i32)
    (local $count i32)
    (local.set $count (call $tapsWithin (local.get $places) (local.get $step) (local.get $taps)))
    (select
      (i32.sub (local.get $count) (local.get $before)) (i32.const 0)
      (i32.gt_u (local.get $count) (local.get $before))))

  ;; 16 channels of a pixel: the sum over rows x columns taps.
  (func $sixteen
    (param $from i32) (param $fromRow i32) (param $fromColumn i32) (param $weight i32) (param $weightRow i32)
    (param $weightColumn i32) (param $rows i32) (param $columns i32) (param $to i32)
    (local $source i32) (local $factor i32) (local $left i32)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128) (local $x v128) (local $w v128)
    (block $done
      (br_if $done (i32.eqz (local.get $columns)))
      (loop $nextRow
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $source (local.get $from))
        (local.set $factor (local.get $weight))
        (local.set $left (local.get $columns))
        (loop $next
          (local.set $x (v128.load (local.get $source)))
          (local.set $w (v128.load (local.get $factor)))
          (local.set $s0 (f32x4.add (f32x4.mul (local.get $x) (local.get $w)) (local.get $s0)))
          (local.set $x (v128.load offset=16 (local.get $source)))
          (local.set $w (v128.load offset=16 (local.get $factor)))
          (local.set $s1 (f32x4.add (f32x4.mul (local.get $x) (local.get $w)) (local.get $s1)))
          (local.set $x (v128.load offset=32 (local.get $source)))
          (local.set $w (v128.load offset=32 (local.get $factor)))
          (local.set $s2 (f32x4.add (f32x4.mul (local.get $x) (local.get $w)) (local.get $s2)))
          (local.set $x (v128.load offset=48 (local.get $source)))
          (local.set $w (v128.load offset=48 (local.get $factor)))
          (local.set $s3 (f32x4.add (f32x4.mul (local.get $x) (local.get $w)) (local.get $s3)))
          (local.set $source (i32.add (local.get $source) (local.get $fromColumn)))
          (local.set $factor (i32.add (local.get $factor) (local.get $weightColumn)))
          (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (local.set $from (i32.add (local.get $from) (local.get $fromRow)))
        (local.set $weight (i32.add (local.get $weight) (local.get $weightRow)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $nextRow)))
    (v128.store (local.get $to) (local.get $s0))
    (v128.store offset=16 (local.get $to) (local.get $s1))
    (v128.store offset=32 (local.get $to) (local.get $s2))
    (v128.store offset=48 (local.get $to) (local.get $s3)))

  ;; Four channels of it, or the first `count` where these are fewer.
  (func $four
    (param $from i32) (param $fromRow i32) (param $fromColumn i32) (param $weight i32) (param $weightRow i32)
    (param $weightColumn i32) (param $rows i32) (param $columns i32) (param $to i32) (param $count i32)
    (local $source i32) (local $factor i32) (local $left i32) (local $sum v128) (local $x v128) (local $w v128)
    (block $done
      (br_if $done (i32.eqz (local.get $columns)))
      (loop $nextRow
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $source (local.get $from))
        (local.set $factor (local.get $weight))
        (local.set $left (local.get $columns))
        (loop $next
          (if (i32.ge_u (local.get $count) (i32.const 4))
            (then
              (local.set $x (v128.load (local.get $source)))
              (local.set $w (v128.load (local.get $factor))))
            (else
              (local.set $x (call $loadSome (local.get $source) (local.get $count) (i32x4.splat (i32.const 0))))
              (local.set $w (call $loadSome (local.get $factor) (local.get $count) (i32x4.splat (i32.const 0))))))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w)) (local.get $sum)))
          (local.set $source (i32.add (local.get $source) (local.get $fromColumn)))
          (local.set $factor (i32.add (local.get $factor) (local.get $weightColumn)))
          (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (local.set $from (i32.add (local.get $from) (local.get $fromRow)))
        (local.set $weight (i32.add (local.get $weight) (local.get $weightRow)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $nextRow)))
    (if (i32.ge_u (local.get $count) (i32.const 4))
      (then (v128.store (local.get $to) (local.get $sum)))
      (else (call $storeSome (local.get $to) (local.get $count) (local.get $sum)))))

  (func (export "windows")
    (param $from i32) (param $height i32) (param $width i32) (param $to i32)
    (param $picturePitch i32) (param $rowPitch i32) (param $columnPitch i32)
    (param $pictures i32) (param $firstRow i32) (param $rows i32) (param $columns i32) (param $channels i32)
    (param $weight i32) (param $weightRow i32) (param $weightColumn i32) (param $tapRows i32) (param $tapColumns i32)
    (param $strideY i32) (param $strideX i32) (param $stepY i32) (param $stepX i32) (param $offsetY i32) (param $offsetX i32)
    (param $zeros i32)
    (local $pixel i32) (local $fromRow i32) (local $y i32) (local $x i32) (local $v i32) (local $u i32)
    (local $r0 i32) (local $rowsMet i32) (local $s0 i32) (local $columnsMet i32) (local $left i32)
    (local $row i32) (local $target i32) (local $source i32) (local $factor i32) (local $place i32)
    (local.set $pixel (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $fromRow (i32.mul (local.get $width) (local.get $pixel)))
    (loop $nextPicture
      (local.set $row (local.get $to))
      (local.set $y (i32.const 0))
      (loop $nextRow
        (local.set $v
          (i32.add
            (i32.mul (i32.add (local.get $firstRow) (local.get $y)) (local.get $strideY))
            (local.get $offsetY)))
        (local.set $r0
          (call $tapsWithin (i32.sub (i32.const 0) (local.get $v)) (local.get $stepY) (local.get $tapRows)))
        (local.set $rowsMet
          (call $tapsBehind (local.get $r0) (i32.sub (local.get $height) (local.get $v)) (local.get $stepY) (local.get $tapRows)))
        (local.set $v (i32.add (local.get $v) (i32.mul (local.get $r0) (local.get $stepY))))
        (local.set $place (local.get $row))
        (local.set $x (i32.const 0))
        (loop $nextColumn
          (local.set $u (i32.add (i32.mul (local.get $x) (local.get $strideX)) (local.get $offsetX)))
          (local.set $s0
            (call $tapsWithin (i32.sub (i32.const 0) (local.get $u)) (local.get $stepX) (local.get $tapColumns)))
          (local.set $columnsMet
            (call $tapsBehind (local.get $s0) (i32.sub (local.get $width) (local.get $u)) (local.get $stepX) (local.get $tapColumns)))
          (local.set $u (i32.add (local.get $u) (i32.mul (local.get $s0) (local.get $stepX))))
          (local.set $source
            (i32.add (local.get $from)
              (i32.add
                (i32.mul (local.get $v) (local.get $fromRow))
                (i32.mul (local.get $u) (local.get $pixel)))))
          (local.set $factor
            (i32.add (local.get $weight)
              (i32.add
                (i32.mul (local.get $r0) (local.get $weightRow))
                (i32.mul (local.get $s0) (local.get $weightColumn)))))
          (local.set $target (local.get $place))
          (local.set $left (local.get $channels))
          (block $sixteensDone
            (loop $nextSixteen
              (br_if $sixteensDone (i32.lt_u (local.get $left) (i32.const 16)))
              (call $sixteen
                (local.get $source)
                (i32.mul (local.get $stepY) (local.get $fromRow)) (i32.mul (local.get $stepX) (local.get $pixel))
                (local.get $factor) (local.get $weightRow) (local.get $weightColumn)
                (local.get $rowsMet) (local.get $columnsMet)
                (local.get $target))
              (local.set $source (i32.add (local.get $source) (i32.const 64)))
              (local.set $factor (i32.add (local.get $factor) (i32.const 64)))
              (local.set $target (i32.add (local.get $target) (i32.const 64)))
              (local.set $left (i32.sub (local.get $left) (i32.const 16)))
              (br $nextSixteen)))
          (block $foursDone
            (loop $nextFour
              (br_if $foursDone (i32.eqz (local.get $left)))
              ;; The last four overlap those before them, where there are any.
              (if (i32.and (i32.lt_u (local.get $left) (i32.const 4)) (i32.ge_u (local.get $channels) (i32.const 4)))
                (then
                  (local.set $u (i32.shl (i32.sub (i32.const 4) (local.get $left)) (i32.const 2)))
                  (local.set $source (i32.sub (local.get $source) (local.get $u)))
                  (local.set $factor (i32.sub (local.get $factor) (local.get $u)))
                  (local.set $target (i32.sub (local.get $target) (local.get $u)))
                  (local.set $left (i32.const 4))))
              (call $four
                (local.get $source)
                (i32.mul (local.get $stepY) (local.get $fromRow)) (i32.mul (local.get $stepX) (local.get $pixel))
                (local.get $factor) (local.get $weightRow) (local.get $weightColumn)
                (local.get $rowsMet) (local.get $columnsMet)
                (local.get $target) (local.get $left))
              (br_if $foursDone (i32.le_u (local.get $left) (i32.const 4)))
              (local.set $source (i32.add (local.get $source) (i32.const 16)))
              (local.set $factor (i32.add (local.get $factor) (i32.const 16)))
              (local.set $target (i32.add (local.get $target) (i32.const 16)))
              (local.set $left (i32.sub (local.get $left) (i32.const 4)))
              (br $nextFour)))
          (local.set $place (i32.add (local.get $place) (local.get $columnPitch)))
          (br_if $nextColumn
            (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $columns))))
        (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
        (br_if $nextRow
          (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $rows))))
      (local.set $from (i32.add (local.get $from) (i32.mul (local.get $height) (local.get $fromRow))))
      (local.set $to (i32.add (local.get $to) (local.get $picturePitch)))
      (br_if $nextPicture (local.tee $pictures (i32.sub (local.get $pictures) (i32.const 1))))))
)
