;; view_pixels.wat: joined into sample_views.wat: the colours of a view's pixels, four of them at a time.
;;
;; Reference   lib/ops/augment/sample-views.ts

  ;; Four channels of a view, or what is left of them, `lanes`, of the picture at $picture. $own is their part of the record.
  (func $colours
    (param $picture i32) (param $record i32) (param $own i32) (param $to i32) (param $lanes i32) (param $h i32) (param $w i32)
    (param $C i32) (param $H i32) (param $W i32) (param $plane i32) (param $flags i32)
    (local $x i32) (local $y i32) (local $left i32) (local $pixelBytes i32)
    (local $lowest v128) (local $mostX v128) (local $mostY v128) (local $lastX v128) (local $lastY v128) (local $base v128)
    (local $pixelStep v128) (local $lineStep v128) (local $line v128) (local $columns v128)
    (local $sx v128) (local $sy v128) (local $depth v128) (local $ax v128) (local $ay v128) (local $x1 v128) (local $y1 v128)
    (local $isIn v128) (local $at00 v128) (local $at01 v128) (local $at10 v128) (local $at11 v128)
    (local $w00 v128) (local $w01 v128) (local $w10 v128) (local $w11 v128) (local $out v128)
    (local $fill v128) (local $low v128) (local $high v128) (local $offset v128) (local $gain v128)
    (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128)
    (local.set $fill (v128.load (local.get $own)))
    (local.set $low (v128.load offset=32 (local.get $own)))
    (local.set $high (v128.load offset=48 (local.get $own)))
    (local.set $offset (v128.load offset=64 (local.get $own)))
    (local.set $gain (v128.load offset=80 (local.get $own)))
    (local.set $pixelBytes (i32.shl (local.get $C) (i32.const 2)))
    (local.set $base (i32x4.splat (local.get $picture)))
    (local.set $pixelStep (i32x4.splat (local.get $pixelBytes)))
    (local.set $lineStep (i32x4.mul (local.get $pixelStep) (i32x4.splat (local.get $w))))
    (local.set $lastX (i32x4.splat (i32.sub (local.get $w) (i32.const 1))))
    (local.set $lastY (i32x4.splat (i32.sub (local.get $h) (i32.const 1))))
    ;; Places go from -1, or 0 for the nearest pixel, to the size, or one less.
    (local.set $lowest (f32x4.splat (f32.const -1)))
    (local.set $mostX (f32x4.splat (f32.convert_i32_s (local.get $w))))
    (local.set $mostY (f32x4.splat (f32.convert_i32_s (local.get $h))))
    (if (i32.and (local.get $flags) (i32.const 2))
      (then
        (local.set $mostX (f32x4.add (local.get $mostX) (local.get $lowest)))
        (local.set $mostY (f32x4.add (local.get $mostY) (local.get $lowest)))
        (local.set $lowest (f32x4.splat (f32.const 0)))))
    (loop $nextLine
      (local.set $x (i32.const 0))
      (local.set $line (f32x4.splat (f32.convert_i32_s (local.get $y))))
      (loop $nextFour
        (local.set $columns
          (f32x4.add (f32x4.splat (f32.convert_i32_s (local.get $x))) (v128.const f32x4 0 1 2 3)))
        (local.set $sx
          (f32x4.add
            (f32x4.add
              (f32x4.mul (v128.load32_splat (local.get $record)) (local.get $columns))
              (f32x4.mul (v128.load32_splat offset=4 (local.get $record)) (local.get $line)))
            (v128.load32_splat offset=8 (local.get $record))))
        (local.set $sy
          (f32x4.add
            (f32x4.add
              (f32x4.mul (v128.load32_splat offset=12 (local.get $record)) (local.get $columns))
              (f32x4.mul (v128.load32_splat offset=16 (local.get $record)) (local.get $line)))
            (v128.load32_splat offset=20 (local.get $record))))
        (if (i32.and (local.get $flags) (i32.const 1))
          (then
            (local.set $depth
              (f32x4.pmax
                (f32x4.splat (f32.const 1e-3))
                (f32x4.add
                  (f32x4.add
                    (f32x4.mul (v128.load32_splat offset=24 (local.get $record)) (local.get $columns))
                    (f32x4.mul (v128.load32_splat offset=28 (local.get $record)) (local.get $line)))
                  (v128.load32_splat offset=32 (local.get $record)))))
            (local.set $sx
              (f32x4.pmin (local.get $mostX)
                (f32x4.pmax (local.get $lowest) (f32x4.div (local.get $sx) (local.get $depth)))))
            (local.set $sy
              (f32x4.pmin (local.get $mostY)
                (f32x4.pmax (local.get $lowest) (f32x4.div (local.get $sy) (local.get $depth)))))
            ;; Four taps, weighted where they are in the picture. Those that are not are read within it.
            (local.set $ax (f32x4.floor (local.get $sx)))
            (local.set $ay (f32x4.floor (local.get $sy)))
            (local.set $at00 (i32x4.trunc_sat_f32x4_s (local.get $ax)))
            (local.set $at10 (i32x4.trunc_sat_f32x4_s (local.get $ay)))
            (local.set $ax (f32x4.sub (local.get $sx) (local.get $ax)))
            (local.set $ay (f32x4.sub (local.get $sy) (local.get $ay)))
            (local.set $sx (f32x4.sub (f32x4.splat (f32.const 1)) (local.get $ax)))
            (local.set $sy (f32x4.sub (f32x4.splat (f32.const 1)) (local.get $ay)))
            (local.set $at01 (i32x4.add (local.get $at00) (i32x4.splat (i32.const 1))))
            (local.set $at11 (i32x4.add (local.get $at10) (i32x4.splat (i32.const 1))))
            (local.set $x1 (i32x4.max_s (i32x4.min_s (local.get $at01) (local.get $lastX)) (v128.const i32x4 0 0 0 0)))
            (local.set $ax (v128.and (local.get $ax) (i32x4.eq (local.get $x1) (local.get $at01))))
            (local.set $y1 (i32x4.max_s (i32x4.min_s (local.get $at11) (local.get $lastY)) (v128.const i32x4 0 0 0 0)))
            (local.set $ay (v128.and (local.get $ay) (i32x4.eq (local.get $y1) (local.get $at11))))
            (local.set $at01 (i32x4.max_s (i32x4.min_s (local.get $at00) (local.get $lastX)) (v128.const i32x4 0 0 0 0)))
            (local.set $sx (v128.and (local.get $sx) (i32x4.eq (local.get $at01) (local.get $at00))))
            (local.set $at11 (i32x4.max_s (i32x4.min_s (local.get $at10) (local.get $lastY)) (v128.const i32x4 0 0 0 0)))
            (local.set $sy (v128.and (local.get $sy) (i32x4.eq (local.get $at11) (local.get $at10))))
            (local.set $w00 (f32x4.mul (local.get $sx) (local.get $sy)))
            (local.set $w01 (f32x4.mul (local.get $ax) (local.get $sy)))
            (local.set $w10 (f32x4.mul (local.get $sx) (local.get $ay)))
            (local.set $w11 (f32x4.mul (local.get $ax) (local.get $ay)))
            (local.set $out
              (f32x4.sub
                (f32x4.splat (f32.const 1))
                (f32x4.add
                  (f32x4.add (local.get $w00) (local.get $w01))
                  (f32x4.add (local.get $w10) (local.get $w11)))))
            (local.set $isIn (i32x4.add (local.get $base) (i32x4.mul (local.get $at01) (local.get $pixelStep))))
            (local.set $x1 (i32x4.add (local.get $base) (i32x4.mul (local.get $x1) (local.get $pixelStep))))
            (local.set $y1 (i32x4.mul (local.get $y1) (local.get $lineStep)))
            (local.set $at00 (i32x4.mul (local.get $at11) (local.get $lineStep)))
            (local.set $at01 (i32x4.add (local.get $at00) (local.get $x1)))
            (local.set $at00 (i32x4.add (local.get $at00) (local.get $isIn)))
            (local.set $at10 (i32x4.add (local.get $y1) (local.get $isIn)))
            (local.set $at11 (i32x4.add (local.get $y1) (local.get $x1)))
            ;; rows
            ;;   0  0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3
            ;;   1  4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7
            ;;   2  8 9 10 11 8 9 10 11 8 9 10 11 8 9 10 11
            ;;   3  12 13 14 15 12 13 14 15 12 13 14 15 12 13 14 15
            ;; for each row
            (local.set $cNAME
              (f32x4.add
                (f32x4.add
                  (f32x4.add
                    (f32x4.mul
                      (v128.load (i32x4.extract_lane NAME (local.get $at00)))
                      (i8x16.shuffle VALUE (local.get $w00) (local.get $w00)))
                    (f32x4.mul
                      (v128.load (i32x4.extract_lane NAME (local.get $at01)))
                      (i8x16.shuffle VALUE (local.get $w01) (local.get $w01))))
                  (f32x4.add
                    (f32x4.mul
                      (v128.load (i32x4.extract_lane NAME (local.get $at10)))
                      (i8x16.shuffle VALUE (local.get $w10) (local.get $w10)))
                    (f32x4.mul
                      (v128.load (i32x4.extract_lane NAME (local.get $at11)))
                      (i8x16.shuffle VALUE (local.get $w11) (local.get $w11)))))
                (f32x4.mul (local.get $fill) (i8x16.shuffle VALUE (local.get $out) (local.get $out)))))
            ;; end
          )
          (else
            (local.set $sx
              (f32x4.pmin (local.get $mostX) (f32x4.pmax (local.get $lowest) (local.get $sx))))
            (local.set $sy
              (f32x4.pmin (local.get $mostY) (f32x4.pmax (local.get $lowest) (local.get $sy))))
            (local.set $at01
              (i32x4.trunc_sat_f32x4_s (f32x4.floor (f32x4.add (local.get $sx) (f32x4.splat (f32.const 0.5))))))
            (local.set $at11
              (i32x4.trunc_sat_f32x4_s (f32x4.floor (f32x4.add (local.get $sy) (f32x4.splat (f32.const 0.5))))))
            (local.set $x1 (i32x4.max_s (i32x4.min_s (local.get $at01) (local.get $lastX)) (v128.const i32x4 0 0 0 0)))
            (local.set $y1 (i32x4.max_s (i32x4.min_s (local.get $at11) (local.get $lastY)) (v128.const i32x4 0 0 0 0)))
            (local.set $isIn
              (v128.and
                (i32x4.eq (local.get $x1) (local.get $at01))
                (i32x4.eq (local.get $y1) (local.get $at11))))
            (local.set $at00
              (i32x4.add
                (local.get $base)
                (i32x4.add
                  (i32x4.mul (local.get $x1) (local.get $pixelStep))
                  (i32x4.mul (local.get $y1) (local.get $lineStep)))))
            ;; rows
            ;;   0  0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3
            ;;   1  4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7
            ;;   2  8 9 10 11 8 9 10 11 8 9 10 11 8 9 10 11
            ;;   3  12 13 14 15 12 13 14 15 12 13 14 15 12 13 14 15
            ;; for each row
            (local.set $cNAME
              (v128.bitselect
                (v128.load (i32x4.extract_lane NAME (local.get $at00)))
                (local.get $fill)
                (i8x16.shuffle VALUE (local.get $isIn) (local.get $isIn))))
            ;; end
          ))
        (if (i32.and (local.get $flags) (i32.const 4))
          (then
            ;; rows
            ;;   0  .
            ;;   1  .
            ;;   2  .
            ;;   3  .
            ;; for each row
            (local.set $cNAME
              (f32x4.pmin (local.get $high)
                (f32x4.pmax (local.get $low)
                  (f32x4.add (f32x4.mul (local.get $cNAME) (local.get $gain)) (local.get $offset)))))
            ;; end
          ))
        (if (i32.and (local.get $flags) (i32.const 8))
          (then
            ;; rows
            ;;   0  .
            ;;   1  .
            ;;   2  .
            ;;   3  .
            ;; for each row
            (local.set $cNAME
              (f32x4.pmin (local.get $high)
                (f32x4.pmax (local.get $low)
                  (f32x4.add
                    (f32x4.add
                      (f32x4.mul (local.get $gain) (f32x4.splat (f32x4.extract_lane 0 (local.get $cNAME))))
                      (f32x4.mul
                        (v128.load offset=96 (local.get $own))
                        (f32x4.splat (f32x4.extract_lane 1 (local.get $cNAME)))))
                    (f32x4.add
                      (f32x4.mul
                        (v128.load offset=112 (local.get $own))
                        (f32x4.splat (f32x4.extract_lane 2 (local.get $cNAME))))
                      (local.get $offset))))))
            ;; end
          ))
        (local.set $left (i32.sub (local.get $W) (local.get $x)))
        (if (local.get $plane)
          (then
            (call $storePlanes
              (local.get $to) (local.get $plane) (local.get $lanes) (local.get $left)
              (local.get $c0) (local.get $c1) (local.get $c2) (local.get $c3))
            (local.set $to
              (i32.add (local.get $to)
                (select (i32.const 16) (i32.shl (local.get $left) (i32.const 2))
                  (i32.ge_u (local.get $left) (i32.const 4))))))
          (else
            (if (i32.gt_u (local.get $left) (i32.const 7))
              (then
                ;; rows
                ;;   0  .
                ;;   1  .
                ;;   2  .
                ;;   3  .
                ;; for each row
                (v128.store (local.get $to) (local.get $cNAME))
                (local.set $to (i32.add (local.get $to) (local.get $pixelBytes)))
                ;; end
              )
              (else
                ;; The end of a line.
                ;; rows
                ;;   0  .
                ;;   1  .
                ;;   2  .
                ;;   3  .
                ;; for each row
                (if (i32.gt_u (local.get $left) (i32.const NAME))
                  (then
                    (call $storeQuad (local.get $to) (local.get $lanes) (local.get $cNAME))
                    (local.set $to (i32.add (local.get $to) (local.get $pixelBytes)))))
                ;; end
              ))))
        (br_if $nextFour
          (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 4))) (local.get $W))))
      (br_if $nextLine (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $H)))))

  ;; Four pixels of a line, or the first `left` of them, into planes of channels, of which there are `lanes`.
  (func $storePlanes
    (param $to i32) (param $plane i32) (param $lanes i32) (param $left i32)
    (param $c0 v128) (param $c1 v128) (param $c2 v128) (param $c3 v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $a (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c0) (local.get $c1)))
    (local.set $b (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c2) (local.get $c3)))
    (local.set $c (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c0) (local.get $c1)))
    (local.set $d (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c2) (local.get $c3)))
    ;; rows
    ;;   0  (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $b))
    ;;   1  (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $b))
    ;;   2  (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $c) (local.get $d))
    ;;   3  (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $c) (local.get $d))
    ;; for each row
    (if (i32.gt_u (local.get $lanes) (i32.const NAME))
      (then
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then (v128.store (local.get $to) VALUE))
          (else (call $storeSome (local.get $to) (local.get $left) VALUE)))
        (local.set $to (i32.add (local.get $to) (local.get $plane)))))
    ;; end
  )
