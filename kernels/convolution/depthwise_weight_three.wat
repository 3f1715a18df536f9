;; depthwise_weight_three.wat: joined into depthwise_weight_gradient.wat: windows of three columns and up to three rows, of four
;; channels or more.
;;
;; Technique   nine sums stay in registers; ten loads for nine products of four channels
;; Reference   lib/ops/convolution/depthwise-operations.ts

  (func (export "three")
    (param $picture i32) (param $height i32) (param $width i32) (param $output i32) (param $rows i32) (param $columns i32)
    (param $pictures i32) (param $channels i32) (param $first i32) (param $count i32) (param $weight i32)
    (param $tapRows i32) (param $tapColumns i32) (param $strideY i32) (param $strideX i32) (param $stepY i32)
    (param $stepX i32) (param $offsetY i32) (param $offsetX i32) (param $inside i32) (param $outside i32)
    (param $rowsAtOnce i32) (param $sums i32)
    (local $pixel i32) (local $pictureBytes i32) (local $rowBytes i32) (local $quads i32) (local $quad i32)
    (local $pitch i32) (local $from i32) (local $end i32) (local $all i32)
    (local $row i32) (local $y i32) (local $n i32) (local $v i32) (local $x i32) (local $u i32) (local $channel i32)
    (local $at i32) (local $source i32) (local $g v128) (local $value v128)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $second i32) (local $third i32) (local $next i32) (local $met i32)
    (local $s00 v128) (local $s01 v128) (local $s02 v128) (local $s10 v128) (local $s11 v128) (local $s12 v128)
    (local $s20 v128) (local $s21 v128) (local $s22 v128)
    (local.set $pixel (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $pictureBytes
      (i32.mul (i32.mul (local.get $height) (local.get $width)) (local.get $pixel)))
    (local.set $rowBytes (i32.mul (local.get $columns) (local.get $pixel)))
    (local.set $quads (i32.shr_u (i32.add (local.get $count) (i32.const 3)) (i32.const 2)))
    (local.set $pitch (i32.shl (local.get $quads) (i32.const 5)))
    (call $fillElements (local.get $sums) (i32.shl (i32.mul (local.get $quads) (i32.const 9)) (i32.const 3))
      (i32x4.splat (i32.const 0)))
    ;; Bytes from a place of the picture to those of the second and the third column, and to that of the next x.
    (local.set $second (i32.mul (local.get $stepX) (local.get $pixel)))
    (local.set $third (i32.shl (local.get $second) (i32.const 1)))
    (local.set $next (i32.mul (local.get $strideX) (local.get $pixel)))
    (local.set $all (i32.mul (local.get $pictures) (local.get $rows)))
    (block $done
      (loop $nextBlock
        (br_if $done (i32.ge_u (local.get $from) (local.get $all)))
        (local.set $end (i32.add (local.get $from) (local.get $rowsAtOnce)))
        (local.set $end (select (local.get $end) (local.get $all) (i32.lt_u (local.get $end) (local.get $all))))
        (local.set $quad (i32.const 0))
        (loop $nextQuad
          (local.set $channel
            (i32.shl (call $fourth (local.get $first) (local.get $quad) (local.get $channels)) (i32.const 2)))
          ;; rows
          ;;   0  -
          ;;   1  -
          ;;   2  -
          ;; for each row
          (local.set $sNAME0 (f32x4.splat (f32.const 0)))
          (local.set $sNAME1 (f32x4.splat (f32.const 0)))
          (local.set $sNAME2 (f32x4.splat (f32.const 0)))
          ;; end
          (local.set $row (local.get $from))
          (local.set $n (i32.div_u (local.get $row) (local.get $rows)))
          (local.set $y (i32.rem_u (local.get $row) (local.get $rows)))
          (local.set $source
            (i32.add (local.get $channel)
              (i32.add (local.get $picture) (i32.mul (local.get $n) (local.get $pictureBytes)))))
          (local.set $at
            (i32.add (local.get $channel)
              (i32.add (local.get $output) (i32.mul (local.get $row) (local.get $rowBytes)))))
          (loop $nextRow
            (local.set $v (i32.add (i32.mul (local.get $y) (local.get $strideY)) (local.get $offsetY)))
            ;; A bit for each row of taps that meets a row of the picture, and where that lies.
            (local.set $met (i32.const 0))
            ;; rows
            ;;   0  (i32.const 1)
            ;;   1  (i32.const 2)
            ;;   2  (i32.const 4)
            ;; for each row
            (local.set $u (i32.add (local.get $v) (i32.mul (i32.const NAME) (local.get $stepY))))
            (local.set $pNAME
              (i32.add (local.get $source)
                (i32.mul
                  (i32.add (i32.mul (local.get $u) (local.get $width)) (local.get $offsetX))
                  (local.get $pixel))))
            (if
              (i32.and
                (i32.lt_u (i32.const NAME) (local.get $tapRows))
                (i32.lt_u (local.get $u) (local.get $height)))
              (then (local.set $met (i32.or (local.get $met) VALUE))))
            ;; end
            (local.set $u (local.get $offsetX))
            (local.set $x (i32.const 0))
            (loop $nextColumn
              (if (i32.eq (local.get $x) (local.get $inside))
                (then
                  (block $insideDone
                    (br_if $insideDone (i32.ge_u (local.get $x) (local.get $outside)))
                    (loop $nextInside
                      (local.set $g (v128.load (local.get $at)))
                      ;; rows
                      ;;   0  (i32.const 1)
                      ;;   1  (i32.const 2)
                      ;;   2  (i32.const 4)
                      ;; for each row
                      (if (i32.and (local.get $met) VALUE)
                        (then
                          (local.set $value (v128.load (local.get $pNAME)))
                          (local.set $sNAME0 (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sNAME0)))
                          (local.set $value (v128.load (i32.add (local.get $pNAME) (local.get $second))))
                          (local.set $sNAME1 (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sNAME1)))
                          (local.set $value (v128.load (i32.add (local.get $pNAME) (local.get $third))))
                          (local.set $sNAME2 (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sNAME2)))))
                      (local.set $pNAME (i32.add (local.get $pNAME) (local.get $next)))
                      ;; end
                      (local.set $at (i32.add (local.get $at) (local.get $pixel)))
                      (br_if $nextInside
                        (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $outside))))
                    (local.set $u (i32.add (local.get $offsetX) (i32.mul (local.get $x) (local.get $strideX)))))))
              (if (i32.lt_u (local.get $x) (local.get $columns))
                (then
                  (local.set $g (v128.load (local.get $at)))
                  ;; rows
                  ;;   0  (i32.const 1)
                  ;;   1  (i32.const 2)
                  ;;   2  (i32.const 4)
                  ;; for each row
                  (if (i32.and (local.get $met) VALUE)
                    (then
                      (if (i32.lt_u (local.get $u) (local.get $width))
                        (then
                          (local.set $value (v128.load (local.get $pNAME)))
                          (local.set $sNAME0 (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sNAME0)))))
                      (if (i32.lt_u (i32.add (local.get $u) (local.get $stepX)) (local.get $width))
                        (then
                          (local.set $value (v128.load (i32.add (local.get $pNAME) (local.get $second))))
                          (local.set $sNAME1 (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sNAME1)))))
                      (if
                        (i32.lt_u (i32.add (local.get $u) (i32.shl (local.get $stepX) (i32.const 1))) (local.get $width))
                        (then
                          (local.set $value (v128.load (i32.add (local.get $pNAME) (local.get $third))))
                          (local.set $sNAME2 (f32x4.add (f32x4.mul (local.get $value) (local.get $g)) (local.get $sNAME2)))))))
                  (local.set $pNAME (i32.add (local.get $pNAME) (local.get $next)))
                  ;; end
                  (local.set $at (i32.add (local.get $at) (local.get $pixel)))
                  (local.set $u (i32.add (local.get $u) (local.get $strideX)))
                  (br_if $nextColumn
                    (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $columns))))))
            (if (i32.eq (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $rows))
              (then
                (local.set $y (i32.const 0))
                (local.set $source (i32.add (local.get $source) (local.get $pictureBytes)))))
            (br_if $nextRow
              (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $end))))
          (local.set $v (i32.add (local.get $sums) (i32.shl (local.get $quad) (i32.const 5))))
          ;; rows
          ;;   s00  -
          ;;   s01  -
          ;;   s02  -
          ;;   s10  -
          ;;   s11  -
          ;;   s12  -
          ;;   s20  -
          ;;   s21  -
          ;;   s22  -
          ;; for each row
          (call $addSums (local.get $v) (local.get $NAME))
          (local.set $v (i32.add (local.get $v) (local.get $pitch)))
          ;; end
          (br_if $nextQuad
            (i32.lt_u (local.tee $quad (i32.add (local.get $quad) (i32.const 1))) (local.get $quads))))
        (local.set $from (local.get $end))
        (br $nextBlock)))
    (call $storeWeight
      (local.get $weight) (i32.mul (local.get $tapRows) (local.get $tapColumns)) (local.get $channels)
      (local.get $first) (local.get $quads) (local.get $sums)))
