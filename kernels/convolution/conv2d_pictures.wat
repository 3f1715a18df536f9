;; conv2d_pictures.wat: what a convolution on the CPU device does ahead of its products, WebAssembly SIMD.
;;
;; Computes    pad   copies a block of pictures [pictures, rows, columns, elements], with zeros around each of them
;;             list  a table of rows or of taps for conv2d_rows.wat and conv2d_weight_gradient.wat, by three loops, the last
;;                   one innermost: entry (i, j, l) is two words, a + i · a1 + j · a2 + l · a3 and c + i · c1 + j · c2 + l · c3
;;             listMet  the same of the places of some rows and columns, and of all pictures at each of them, in fours, the last
;;                   picture repeated where there are less; and for each four which taps lie in the picture, a bit each,
;;                   lowest first: place (i, j) is read from row h + i · hStep + r · hTapStep, and from columns likewise
;; Parameters  pad: from and bytes from a picture, a row and a column of it to the next; to, where all lies side by side; the
;;             four sizes; rows of zeros above and below, columns of zeros on the left and on the right
;; Cost        pad moves 8 B an element, which takes part in 2 · taps · channels flop
;; Edges       behind the last entry, three more repeat it, so that rows can be taken in fours
;; Reference   lib/ops/convolution/conv2d-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  (func (export "pad") (param $from i32) (param $picturePitch i32) (param $rowPitch i32) (param $columnPitch i32)
                       (param $to i32) (param $pictures i32) (param $rows i32) (param $columns i32) (param $elements i32)
                       (param $top i32) (param $bottom i32) (param $left i32) (param $right i32)
    (local $row i32) (local $column i32) (local $at i32) (local $rowAt i32) (local $picture i32) (local $line i32)
    (local.set $line (i32.mul (local.get $elements)
      (i32.add (local.get $left) (i32.add (local.get $columns) (local.get $right)))))
    (local.set $left (i32.mul (local.get $left) (local.get $elements)))
    (local.set $right (i32.mul (local.get $right) (local.get $elements)))
    ;; Columns that lie side by side are one.
    (if (i32.eq (local.get $columnPitch) (i32.shl (local.get $elements) (i32.const 2)))
      (then
        (local.set $elements (i32.mul (local.get $elements) (local.get $columns)))
        (local.set $columns (i32.const 1))))
    (local.set $picture (local.get $from))
    (loop $nextPicture
      (local.set $to (call $clear (local.get $to) (i32.mul (local.get $top) (local.get $line))))
      (local.set $row (local.get $rows))
      (local.set $rowAt (local.get $picture))
      (block $noRow
        (loop $nextRow
          (br_if $noRow (i32.eqz (local.get $row)))
          (local.set $to (call $clear (local.get $to) (local.get $left)))
          (local.set $column (local.get $columns))
          (local.set $at (local.get $rowAt))
          (loop $nextColumn
            (call $copyElements (local.get $at) (local.get $to) (local.get $elements))
            (local.set $to (i32.add (local.get $to) (i32.shl (local.get $elements) (i32.const 2))))
            (local.set $at (i32.add (local.get $at) (local.get $columnPitch)))
            (br_if $nextColumn (local.tee $column (i32.sub (local.get $column) (i32.const 1)))))
          (local.set $to (call $clear (local.get $to) (local.get $right)))
          (local.set $rowAt (i32.add (local.get $rowAt) (local.get $rowPitch)))
          (local.set $row (i32.sub (local.get $row) (i32.const 1)))
          (br $nextRow)))
      (local.set $to (call $clear (local.get $to) (i32.mul (local.get $bottom) (local.get $line))))
      (local.set $picture (i32.add (local.get $picture) (local.get $picturePitch)))
      (br_if $nextPicture (local.tee $pictures (i32.sub (local.get $pictures) (i32.const 1))))))

  ;; Writes so many zeros; returns the address behind them.
  (func $clear (param $to i32) (param $elements i32) (result i32)
    (call $fillElements (local.get $to) (local.get $elements) (v128.const f32x4 0 0 0 0))
    (i32.add (local.get $to) (i32.shl (local.get $elements) (i32.const 2))))

  (func (export "list") (param $table i32) (param $a i32) (param $c i32)
                        (param $n1 i32) (param $a1 i32) (param $c1 i32)
                        (param $n2 i32) (param $a2 i32) (param $c2 i32)
                        (param $n3 i32) (param $a3 i32) (param $c3 i32)
    (local $i2 i32) (local $i3 i32) (local $aRow i32) (local $cRow i32) (local $aAt i32) (local $cAt i32)
    (loop $next1
      (local.set $i2 (local.get $n2))
      (local.set $aRow (local.get $a))
      (local.set $cRow (local.get $c))
      (loop $next2
        (local.set $i3 (local.get $n3))
        (local.set $aAt (local.get $aRow))
        (local.set $cAt (local.get $cRow))
        (loop $next3
          (i32.store (local.get $table) (local.get $aAt))
          (i32.store offset=4 (local.get $table) (local.get $cAt))
          (local.set $table (i32.add (local.get $table) (i32.const 8)))
          (local.set $aAt (i32.add (local.get $aAt) (local.get $a3)))
          (local.set $cAt (i32.add (local.get $cAt) (local.get $c3)))
          (br_if $next3 (local.tee $i3 (i32.sub (local.get $i3) (i32.const 1)))))
        (local.set $aRow (i32.add (local.get $aRow) (local.get $a2)))
        (local.set $cRow (i32.add (local.get $cRow) (local.get $c2)))
        (br_if $next2 (local.tee $i2 (i32.sub (local.get $i2) (i32.const 1)))))
      (local.set $a (i32.add (local.get $a) (local.get $a1)))
      (local.set $c (i32.add (local.get $c) (local.get $c1)))
      (br_if $next1 (local.tee $n1 (i32.sub (local.get $n1) (i32.const 1)))))
    (i64.store (local.get $table) (i64.load (i32.sub (local.get $table) (i32.const 8))))
    (i64.store offset=8 (local.get $table) (i64.load (local.get $table)))
    (i64.store offset=16 (local.get $table) (i64.load (local.get $table))))

  ;; The bits of taps that lie inside of an axis.
  (func $inside (param $at i32) (param $step i32) (param $taps i32) (param $size i32) (result i32)
    (local $bits i32) (local $tap i32)
    (loop $next
      (local.set $bits
        (i32.or (local.get $bits) (i32.shl (i32.lt_u (local.get $at) (local.get $size)) (local.get $tap))))
      (local.set $at (i32.add (local.get $at) (local.get $step)))
      (br_if $next (i32.lt_u (local.tee $tap (i32.add (local.get $tap) (i32.const 1))) (local.get $taps))))
    (local.get $bits))

  (func (export "listMet") (param $table i32) (param $masks i32) (param $a i32) (param $c i32)
                           (param $rows i32) (param $aRow i32) (param $cRow i32)
                           (param $columns i32) (param $aColumn i32) (param $cColumn i32)
                           (param $pictures i32) (param $aPicture i32) (param $cPicture i32)
                           (param $h i32) (param $hStep i32) (param $hTaps i32) (param $hTapStep i32) (param $height i32)
                           (param $w i32) (param $wStep i32) (param $wTaps i32) (param $wTapStep i32) (param $width i32)
    (local $column i32) (local $picture i32) (local $aAt i32) (local $cAt i32) (local $aPlace i32) (local $cPlace i32)
    (local $wAt i32) (local $ofRow i32) (local $ofColumn i32) (local $mask i32) (local $tap i32)
    (loop $nextRow
      (local.set $ofRow (call $inside (local.get $h) (local.get $hTapStep) (local.get $hTaps) (local.get $height)))
      (local.set $column (local.get $columns))
      (local.set $wAt (local.get $w))
      (local.set $aPlace (local.get $a))
      (local.set $cPlace (local.get $c))
      (loop $nextColumn
        (local.set $ofColumn (call $inside (local.get $wAt) (local.get $wTapStep) (local.get $wTaps) (local.get $width)))
        (local.set $mask (i32.const 0))
        (local.set $tap (local.get $hTaps))
        (loop $nextTap
          (local.set $tap (i32.sub (local.get $tap) (i32.const 1)))
          (local.set $mask (i32.shl (local.get $mask) (local.get $wTaps)))
          (if (i32.and (i32.shr_u (local.get $ofRow) (local.get $tap)) (i32.const 1))
            (then (local.set $mask (i32.or (local.get $mask) (local.get $ofColumn)))))
          (br_if $nextTap (local.get $tap)))
        (local.set $picture (i32.const 0))
        (local.set $aAt (local.get $aPlace))
        (local.set $cAt (local.get $cPlace))
        (loop $nextPicture
          (i32.store (local.get $table) (local.get $aAt))
          (i32.store offset=4 (local.get $table) (local.get $cAt))
          (local.set $table (i32.add (local.get $table) (i32.const 8)))
          (if (i32.eqz (i32.and (local.get $picture) (i32.const 3)))
            (then
              (i32.store (local.get $masks) (local.get $mask))
              (local.set $masks (i32.add (local.get $masks) (i32.const 4)))))
          (local.set $picture (i32.add (local.get $picture) (i32.const 1)))
          ;; What is left of the last four repeats the last picture.
          (if (i32.lt_u (local.get $picture) (local.get $pictures))
            (then
              (local.set $aAt (i32.add (local.get $aAt) (local.get $aPicture)))
              (local.set $cAt (i32.add (local.get $cAt) (local.get $cPicture)))))
          (br_if $nextPicture
            (i32.or
              (i32.lt_u (local.get $picture) (local.get $pictures))
              (i32.and (local.get $picture) (i32.const 3)))))
        (local.set $wAt (i32.add (local.get $wAt) (local.get $wStep)))
        (local.set $aPlace (i32.add (local.get $aPlace) (local.get $aColumn)))
        (local.set $cPlace (i32.add (local.get $cPlace) (local.get $cColumn)))
        (br_if $nextColumn (local.tee $column (i32.sub (local.get $column) (i32.const 1)))))
      (local.set $h (i32.add (local.get $h) (local.get $hStep)))
      (local.set $a (i32.add (local.get $a) (local.get $aRow)))
      (local.set $c (i32.add (local.get $c) (local.get $cRow)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))
