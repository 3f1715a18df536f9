;; depthwise.wat: a window of its own for each channel, over channels-last pictures, for the CPU device, WebAssembly SIMD:
;; depthwise convolution, and its input gradient, in parts that are one each. Windows of three columns; depthwise_windows.wat
;; takes any.
;;
;; Computes    to[n, y, x, c] = Σ_{r, s} from[n, v, u, c] · weight[r, s, c],  f32, for `rows` y from `firstRow` on, with
;;             v = strideY · y + offsetY + stepY · r,  u = strideX · x + offsetX + stepX · s,  where `from` has such a place.
;;             A gradient at stride 2 is four such parts: places of its rows and columns that are even, and odd, meet taps
;;             that are even, or odd; turned around, because v falls as r rises.
;; Parameters  from, height, width: pictures [.., height, width, channels] without gaps; to: the place of y = firstRow, x = 0;
;;             picturePitch, rowPitch, columnPitch: bytes from one to the next in `to`; pictures, firstRow, rows, columns;
;;             channels; weight: of the first tap; weightRow, weightColumn: bytes from a tap to the next, negative where
;;             the window is turned around; tapRows, tapColumns; strideY, strideX; stepY, stepX; offsetY, offsetX
;; threeByOne  three columns side by side, up to three rows, strideX 1, four channels or more. A row after the other, four
;;             channels at a time: nine weights stay in registers; a column of the source, three loads, is multiplied by
;;             all of them and added to the three sums that it belongs to, of which one is then whole.
;; threeByTwo  the same with strideX 2: two columns a sum, of which the second belongs to the next one as well
;; spreadByTwo  rows of a gradient's picture at stride 2, of a window of three columns, up to two rows of which are met, four
;;             channels or more: even and odd places together, so that a column of the source is loaded once. offsetX is
;;             the place that column 0 meets with its first tap.
;; Order       16 channels, a cache line of each pixel, go through all rows before the next 16: three rows of them lie in
;;             the first-level cache
;; Cost        2 · tapRows · tapColumns flop and 8 B an element: 18 flop for 8 B of memory with 3x3, 27 loads (`threeByOne`: 3)
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Edges       rows outside of the source are read as a pixel of zeros in scratch memory, with weights 0; columns are left
;;             out. Of channels that are no multiple of four the last four overlap those before them
;; Scratch     4 B a channel
;; Reference   lib/ops/convolution/depthwise-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  ;; A row of sums of four channels, and three rows of the source: addresses of place 0 and bytes from place to place, and of
  ;; the weights; of a row that there is not those of zeros, and 0. A column of it ends one sum and is part of two more:
  ;; $second has met two columns of the window so far, $first one.
  (func $slideByOne
    (param $p0 i32) (param $p1 i32) (param $p2 i32) (param $d0 i32) (param $d1 i32) (param $d2 i32)
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $e0 i32) (param $e1 i32) (param $e2 i32)
    (param $to i32) (param $pitch i32) (param $columns i32) (param $u i32) (param $width i32)
    (local $left i32) (local $x v128)
    (local $w00 v128) (local $w01 v128) (local $w02 v128) (local $w10 v128) (local $w11 v128) (local $w12 v128)
    (local $w20 v128) (local $w21 v128) (local $w22 v128) (local $first v128) (local $second v128) (local $sum v128)
    ;; rows
    ;;   0  -
    ;;   1  -
    ;;   2  -
    ;; for each row
    (local.set $wNAME0 (v128.load (local.get $wNAME)))
    (local.set $wNAME1 (v128.load (i32.add (local.get $wNAME) (local.get $eNAME))))
    (local.set $wNAME2 (v128.load (i32.add (local.get $wNAME) (i32.shl (local.get $eNAME) (i32.const 1)))))
    (local.set $pNAME (i32.add (local.get $pNAME) (i32.mul (local.get $dNAME) (local.get $u))))
    ;; end
    ;; The first two columns end no sum.
    (local.set $left (i32.const -2))
    (loop $next
      (if (i32.lt_u (local.get $u) (local.get $width))
        (then
          (local.set $x (v128.load (local.get $p0)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w02)) (local.get $second)))
          (local.set $second (f32x4.add (f32x4.mul (local.get $x) (local.get $w01)) (local.get $first)))
          (local.set $first (f32x4.mul (local.get $x) (local.get $w00)))
          (local.set $x (v128.load (local.get $p1)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w12)) (local.get $sum)))
          (local.set $second (f32x4.add (f32x4.mul (local.get $x) (local.get $w11)) (local.get $second)))
          (local.set $first (f32x4.add (f32x4.mul (local.get $x) (local.get $w10)) (local.get $first)))
          (local.set $x (v128.load (local.get $p2)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w22)) (local.get $sum)))
          (local.set $second (f32x4.add (f32x4.mul (local.get $x) (local.get $w21)) (local.get $second)))
          (local.set $first (f32x4.add (f32x4.mul (local.get $x) (local.get $w20)) (local.get $first))))
        (else
          (local.set $sum (local.get $second))
          (local.set $second (local.get $first))
          (local.set $first (f32x4.splat (f32.const 0)))))
      (local.set $p0 (i32.add (local.get $p0) (local.get $d0)))
      (local.set $p1 (i32.add (local.get $p1) (local.get $d1)))
      (local.set $p2 (i32.add (local.get $p2) (local.get $d2)))
      (local.set $u (i32.add (local.get $u) (i32.const 1)))
      (if (i32.ge_s (local.get $left) (i32.const 0))
        (then
          (v128.store (local.get $to) (local.get $sum))
          (local.set $to (i32.add (local.get $to) (local.get $pitch)))))
      (br_if $next
        (i32.lt_s (local.tee $left (i32.add (local.get $left) (i32.const 1))) (local.get $columns)))))

  ;; The same at strideX 2: two columns a sum, the second of which is the first one of the next. $first has met that one.
  (func $slideByTwo
    (param $p0 i32) (param $p1 i32) (param $p2 i32) (param $d0 i32) (param $d1 i32) (param $d2 i32)
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $e0 i32) (param $e1 i32) (param $e2 i32)
    (param $to i32) (param $pitch i32) (param $columns i32) (param $u i32) (param $width i32)
    (local $x v128)
    (local $w00 v128) (local $w01 v128) (local $w02 v128) (local $w10 v128) (local $w11 v128) (local $w12 v128)
    (local $w20 v128) (local $w21 v128) (local $w22 v128) (local $first v128) (local $sum v128)
    ;; rows
    ;;   0  -
    ;;   1  -
    ;;   2  -
    ;; for each row
    (local.set $wNAME0 (v128.load (local.get $wNAME)))
    (local.set $wNAME1 (v128.load (i32.add (local.get $wNAME) (local.get $eNAME))))
    (local.set $wNAME2 (v128.load (i32.add (local.get $wNAME) (i32.shl (local.get $eNAME) (i32.const 1)))))
    (local.set $pNAME (i32.add (local.get $pNAME) (i32.mul (local.get $dNAME) (local.get $u))))
    ;; end
    (if (i32.lt_u (local.get $u) (local.get $width))
      (then
        (local.set $x (v128.load (local.get $p0)))
        (local.set $first (f32x4.mul (local.get $x) (local.get $w00)))
        (local.set $x (v128.load (local.get $p1)))
        (local.set $first (f32x4.add (f32x4.mul (local.get $x) (local.get $w10)) (local.get $first)))
        (local.set $x (v128.load (local.get $p2)))
        (local.set $first (f32x4.add (f32x4.mul (local.get $x) (local.get $w20)) (local.get $first)))))
    (loop $next
      (local.set $sum (local.get $first))
      (local.set $p0 (i32.add (local.get $p0) (local.get $d0)))
      (local.set $p1 (i32.add (local.get $p1) (local.get $d1)))
      (local.set $p2 (i32.add (local.get $p2) (local.get $d2)))
      (local.set $u (i32.add (local.get $u) (i32.const 1)))
      (if (i32.lt_u (local.get $u) (local.get $width))
        (then
          (local.set $x (v128.load (local.get $p0)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w01)) (local.get $sum)))
          (local.set $x (v128.load (local.get $p1)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w11)) (local.get $sum)))
          (local.set $x (v128.load (local.get $p2)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w21)) (local.get $sum)))))
      (local.set $p0 (i32.add (local.get $p0) (local.get $d0)))
      (local.set $p1 (i32.add (local.get $p1) (local.get $d1)))
      (local.set $p2 (i32.add (local.get $p2) (local.get $d2)))
      (local.set $u (i32.add (local.get $u) (i32.const 1)))
      (if (i32.lt_u (local.get $u) (local.get $width))
        (then
          (local.set $x (v128.load (local.get $p0)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w02)) (local.get $sum)))
          (local.set $first (f32x4.mul (local.get $x) (local.get $w00)))
          (local.set $x (v128.load (local.get $p1)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w12)) (local.get $sum)))
          (local.set $first (f32x4.add (f32x4.mul (local.get $x) (local.get $w10)) (local.get $first)))
          (local.set $x (v128.load (local.get $p2)))
          (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $w22)) (local.get $sum)))
          (local.set $first (f32x4.add (f32x4.mul (local.get $x) (local.get $w20)) (local.get $first))))
        (else (local.set $first (f32x4.splat (f32.const 0)))))
      (v128.store (local.get $to) (local.get $sum))
      (local.set $to (i32.add (local.get $to) (local.get $pitch)))
      (br_if $next (local.tee $columns (i32.sub (local.get $columns) (i32.const 1))))))

  ;; A row of the gradient's picture at stride 2, and two rows of the source: a column of it is part of the sums of place $x,
  ;; of the next and of the one behind that, which meets the next column as well; $last is what it has met so far.
  (func $spreadByTwo
    (param $p0 i32) (param $p1 i32) (param $p2 i32) (param $d0 i32) (param $d1 i32) (param $d2 i32)
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $e0 i32) (param $e1 i32) (param $e2 i32)
    (param $to i32) (param $pitch i32) (param $columns i32) (param $x i32) (param $width i32)
    (local $value v128) (local $even v128) (local $odd v128) (local $last v128)
    (local $w00 v128) (local $w01 v128) (local $w02 v128) (local $w10 v128) (local $w11 v128) (local $w12 v128)
    ;; rows
    ;;   0  -
    ;;   1  -
    ;; for each row
    (local.set $wNAME0 (v128.load (local.get $wNAME)))
    (local.set $wNAME1 (v128.load (i32.add (local.get $wNAME) (local.get $eNAME))))
    (local.set $wNAME2 (v128.load (i32.add (local.get $wNAME) (i32.shl (local.get $eNAME) (i32.const 1)))))
    ;; end
    (local.set $to (i32.add (local.get $to) (i32.mul (local.get $x) (local.get $pitch))))
    (loop $next
      (local.set $even (local.get $last))
      (local.set $odd (f32x4.splat (f32.const 0)))
      (local.set $last (f32x4.splat (f32.const 0)))
      (if (i32.gt_s (local.get $width) (i32.const 0))
        (then
          (local.set $value (v128.load (local.get $p0)))
          (local.set $even (f32x4.add (f32x4.mul (local.get $value) (local.get $w00)) (local.get $even)))
          (local.set $odd (f32x4.mul (local.get $value) (local.get $w01)))
          (local.set $last (f32x4.mul (local.get $value) (local.get $w02)))
          (local.set $value (v128.load (local.get $p1)))
          (local.set $even (f32x4.add (f32x4.mul (local.get $value) (local.get $w10)) (local.get $even)))
          (local.set $odd (f32x4.add (f32x4.mul (local.get $value) (local.get $w11)) (local.get $odd)))
          (local.set $last (f32x4.add (f32x4.mul (local.get $value) (local.get $w12)) (local.get $last)))))
      (if (i32.lt_u (local.get $x) (local.get $columns))
        (then (v128.store (local.get $to) (local.get $even))))
      (local.set $to (i32.add (local.get $to) (local.get $pitch)))
      (if (i32.lt_u (i32.add (local.get $x) (i32.const 1)) (local.get $columns))
        (then (v128.store (local.get $to) (local.get $odd))))
      (local.set $to (i32.add (local.get $to) (local.get $pitch)))
      (local.set $p0 (i32.add (local.get $p0) (local.get $d0)))
      (local.set $p1 (i32.add (local.get $p1) (local.get $d1)))
      (local.set $width (i32.sub (local.get $width) (i32.const 1)))
      (br_if $next
        (i32.lt_s (local.tee $x (i32.add (local.get $x) (i32.const 2))) (local.get $columns)))))

  ;; Where a row of the source lies, and bytes from place to place, and the same of the row of taps that meets it.
  (func $rowOfTap
    (param $tap i32) (param $taps i32) (param $step i32) (param $v i32) (param $height i32) (param $from i32)
    (param $fromRow i32) (param $pixel i32) (param $weight i32) (param $weightRow i32) (param $weightColumn i32)
    (param $zeros i32)
    (result i32 i32 i32 i32)
    (local.set $v (i32.add (local.get $v) (i32.mul (local.get $tap) (local.get $step))))
    (if
      (i32.or (i32.ge_u (local.get $tap) (local.get $taps)) (i32.ge_u (local.get $v) (local.get $height)))
      (then (return (local.get $zeros) (i32.const 0) (local.get $zeros) (i32.const 0))))
    (i32.add (local.get $from) (i32.mul (local.get $v) (local.get $fromRow)))
    (local.get $pixel)
    (i32.add (local.get $weight) (i32.mul (local.get $tap) (local.get $weightRow)))
    (local.get $weightColumn))

  ;; rows
  ;;   threeByOne  (call $slideByOne
  ;;   threeByTwo  (call $slideByTwo
  ;;   spreadByTwo  (call $spreadByTwo
  ;; for each row
  (func (export "NAME")
    (param $from i32) (param $height i32) (param $width i32) (param $to i32)
    (param $picturePitch i32) (param $rowPitch i32) (param $columnPitch i32)
    (param $pictures i32) (param $firstRow i32) (param $rows i32) (param $columns i32) (param $channels i32)
    (param $weight i32) (param $weightRow i32) (param $weightColumn i32) (param $tapRows i32) (param $tapColumns i32)
    (param $strideY i32) (param $strideX i32) (param $stepY i32) (param $stepX i32) (param $offsetY i32) (param $offsetX i32)
    (param $zeros i32)
    (local $pixel i32) (local $fromRow i32) (local $strip i32) (local $end i32) (local $last i32) (local $channel i32)
    (local $y i32) (local $v i32) (local $row i32)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $d0 i32) (local $d1 i32) (local $d2 i32)
    (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $e0 i32) (local $e1 i32) (local $e2 i32)
    (local.set $pixel (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $fromRow (i32.mul (local.get $width) (local.get $pixel)))
    (local.set $last (i32.sub (local.get $pixel) (i32.const 16)))
    (call $fillElements (local.get $zeros) (local.get $channels) (i32x4.splat (i32.const 0)))
    (loop $nextPicture
      (local.set $strip (i32.const 0))
      (loop $nextStrip
        (local.set $end (i32.add (local.get $strip) (i32.const 64)))
        (local.set $end
          (select (local.get $end) (local.get $pixel) (i32.lt_u (local.get $end) (local.get $pixel))))
        (local.set $row (local.get $to))
        (local.set $y (i32.const 0))
        (loop $nextRow
          (local.set $v
            (i32.add
              (i32.mul (i32.add (local.get $firstRow) (local.get $y)) (local.get $strideY))
              (local.get $offsetY)))
          (call $rowOfTap (i32.const 0) (local.get $tapRows) (local.get $stepY) (local.get $v) (local.get $height)
            (local.get $from) (local.get $fromRow) (local.get $pixel) (local.get $weight) (local.get $weightRow)
            (local.get $weightColumn) (local.get $zeros))
          (local.set $e0) (local.set $w0) (local.set $d0) (local.set $p0)
          (call $rowOfTap (i32.const 1) (local.get $tapRows) (local.get $stepY) (local.get $v) (local.get $height)
            (local.get $from) (local.get $fromRow) (local.get $pixel) (local.get $weight) (local.get $weightRow)
            (local.get $weightColumn) (local.get $zeros))
          (local.set $e1) (local.set $w1) (local.set $d1) (local.set $p1)
          (call $rowOfTap (i32.const 2) (local.get $tapRows) (local.get $stepY) (local.get $v) (local.get $height)
            (local.get $from) (local.get $fromRow) (local.get $pixel) (local.get $weight) (local.get $weightRow)
            (local.get $weightColumn) (local.get $zeros))
          (local.set $e2) (local.set $w2) (local.set $d2) (local.set $p2)
          (local.set $channel (local.get $strip))
          (loop $nextFour
            ;; The last four overlap those before them where there are not four.
            (local.set $channel
              (select (local.get $channel) (local.get $last) (i32.lt_u (local.get $channel) (local.get $last))))
            VALUE
              (i32.add (local.get $p0) (local.get $channel)) (i32.add (local.get $p1) (local.get $channel))
              (i32.add (local.get $p2) (local.get $channel))
              (local.get $d0) (local.get $d1) (local.get $d2)
              (i32.add (local.get $w0) (local.get $channel)) (i32.add (local.get $w1) (local.get $channel))
              (i32.add (local.get $w2) (local.get $channel))
              (local.get $e0) (local.get $e1) (local.get $e2)
              (i32.add (local.get $row) (local.get $channel)) (local.get $columnPitch) (local.get $columns)
              (local.get $offsetX) (local.get $width))
            (br_if $nextFour
              (i32.lt_u (local.tee $channel (i32.add (local.get $channel) (i32.const 16))) (local.get $end))))
          (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
          (br_if $nextRow
            (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $rows))))
        (br_if $nextStrip
          (i32.lt_u (local.tee $strip (local.get $end)) (local.get $pixel))))
      (local.set $from (i32.add (local.get $from) (i32.mul (local.get $height) (local.get $fromRow))))
      (local.set $to (i32.add (local.get $to) (local.get $picturePitch)))
      (br_if $nextPicture (local.tee $pictures (i32.sub (local.get $pictures) (i32.const 1))))))
  ;; end
)
