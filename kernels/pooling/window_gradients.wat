;; window_gradients.wat: joined into kernels of pooling, behind a table whose rows are a name and the function that adds what
;; a window's gradient is to the pictures': that for all windows that have places in some lines. `$begin` is called before.
;;
;; Parameters  as windows.wat has them, but that from and places are what is given, and that first and count are pictures; then
;;             the lines of each picture that are made, from begin up to end, and the rows of the windows that have places in
;;             them, from firstRow up to endRow; table: scratch
;; Function    the addresses of a window's gradient and places; the table; that of its first place in the pictures' gradient,
;;             which may be in the padding; which rows and columns of places are inside, i up to endI, j up to endJ; bytes
;;             from one to the next, down and across; rows and columns of places; how many count; channels
;; Method      lines are cleared just before the first window that has them; other lines are outside
  ;; for each row
  (func (export "NAME")
    (param $from i32) (param $to i32) (param $places i32) (param $first i32) (param $count i32)
    (param $channels i32) (param $height i32) (param $width i32) (param $rows i32) (param $columns i32)
    (param $kernelHeight i32) (param $kernelWidth i32) (param $strideHeight i32) (param $strideWidth i32)
    (param $dilationHeight i32) (param $dilationWidth i32) (param $top i32) (param $left i32)
    (param $countedTop i32) (param $countedBottom i32) (param $countedLeft i32) (param $countedRight i32)
    (param $begin i32) (param $end i32) (param $firstRow i32) (param $endRow i32) (param $table i32)
    (local $element i32) (local $words i32) (local $pitch i32) (local $rowPitch i32) (local $columnPitch i32)
    (local $row i32) (local $column i32) (local $y i32) (local $x i32) (local $i i32) (local $j i32) (local $endI i32)
    (local $endJ i32) (local $countedRows i32) (local $line i32) (local $window i32) (local $fromAt i32)
    (local $placesAt i32) (local $cleared i32) (local $span i32) (local $counted i32)
    (local.set $element (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $words (i32.and (i32.add (local.get $channels) (i32.const 3)) (i32.const -4)))
    (local.set $pitch (i32.mul (local.get $width) (local.get $element)))
    (local.set $columnPitch (i32.mul (local.get $dilationWidth) (local.get $element)))
    (local.set $rowPitch (i32.mul (local.get $dilationHeight) (local.get $pitch)))
    (local.set $span
      (i32.add (i32.mul (i32.sub (local.get $kernelWidth) (i32.const 1)) (local.get $dilationWidth)) (i32.const 1)))
    (call $begin
      (local.get $table) (local.get $rowPitch) (local.get $columnPitch)
      (local.get $kernelHeight) (local.get $kernelWidth))
    (local.set $to
      (i32.add
        (local.get $to)
        (i32.mul (i32.mul (local.get $first) (local.get $height)) (local.get $pitch))))
    (loop $nextPicture
      (local.set $window
        (i32.mul
          (i32.add (i32.mul (local.get $first) (local.get $rows)) (local.get $firstRow))
          (local.get $columns)))
      (local.set $fromAt (i32.add (local.get $from) (i32.mul (local.get $window) (local.get $element))))
      (local.set $placesAt (i32.add (local.get $places) (i32.mul (local.get $window) (local.get $words))))
      (local.set $cleared (local.get $begin))
      (local.set $row (local.get $firstRow))
      (loop $nextRow
        ;; Up to the end of the row's windows; at last, all lines that are left.
        (local.set $y (i32.sub (i32.mul (local.get $row) (local.get $strideHeight)) (local.get $top)))
        (local.set $line
          (if (result i32) (i32.lt_s (local.get $row) (local.get $endRow))
            (then
              (call $smaller
                (local.get $end)
                (i32.add
                  (i32.add (local.get $y) (i32.const 1))
                  (i32.mul (i32.sub (local.get $kernelHeight) (i32.const 1)) (local.get $dilationHeight)))))
            (else (local.get $end))))
        (if (i32.gt_s (local.get $line) (local.get $cleared))
          (then
            (call $fillElements
              (i32.add (local.get $to) (i32.mul (local.get $cleared) (local.get $pitch)))
              (i32.mul
                (i32.mul (i32.sub (local.get $line) (local.get $cleared)) (local.get $width))
                (local.get $channels))
              (f32x4.splat (f32.const 0)))
            (local.set $cleared (local.get $line))))
        (if (i32.lt_s (local.get $row) (local.get $endRow))
          (then
            (local.set $i
              (call $firstInside (i32.sub (local.get $y) (local.get $begin)) (local.get $dilationHeight)))
            (local.set $endI
              (call $endInside
                (local.get $y) (local.get $dilationHeight) (local.get $kernelHeight) (local.get $end)))
            (local.set $countedRows
              (call $countedAlong
                (local.get $y) (local.get $kernelHeight) (local.get $height)
                (local.get $countedTop) (local.get $countedBottom)))
            (local.set $line (i32.add (local.get $to) (i32.mul (local.get $y) (local.get $pitch))))
            (local.set $column (i32.const 0))
            (loop $nextColumn
              (local.set $x (i32.sub (i32.mul (local.get $column) (local.get $strideWidth)) (local.get $left)))
              (local.set $j (i32.const 0))
              (local.set $endJ (local.get $kernelWidth))
              (local.set $counted (local.get $kernelWidth))
              (if (i32.or
                    (i32.lt_s (local.get $x) (i32.const 0))
                    (i32.gt_s (i32.add (local.get $x) (local.get $span)) (local.get $width)))
                (then
                  (local.set $j (call $firstInside (local.get $x) (local.get $dilationWidth)))
                  (local.set $endJ
                    (call $endInside
                      (local.get $x) (local.get $dilationWidth) (local.get $kernelWidth) (local.get $width)))
                  (local.set $counted
                    (call $countedAlong
                      (local.get $x) (local.get $kernelWidth) (local.get $width)
                      (local.get $countedLeft) (local.get $countedRight)))))
              (call $VALUE
                (local.get $fromAt) (local.get $placesAt) (local.get $table)
                (i32.add (local.get $line) (i32.mul (local.get $x) (local.get $element)))
                (local.get $i) (local.get $endI) (local.get $j) (local.get $endJ)
                (local.get $rowPitch) (local.get $columnPitch) (local.get $kernelHeight) (local.get $kernelWidth)
                (f32.convert_i32_s (i32.mul (local.get $countedRows) (local.get $counted)))
                (local.get $channels))
              (local.set $fromAt (i32.add (local.get $fromAt) (local.get $element)))
              (local.set $placesAt (i32.add (local.get $placesAt) (local.get $words)))
              (br_if $nextColumn
                (i32.lt_s
                  (local.tee $column (i32.add (local.get $column) (i32.const 1)))
                  (local.get $columns))))
            (local.set $row (i32.add (local.get $row) (i32.const 1)))
            (br $nextRow))))
      (local.set $to (i32.add (local.get $to) (i32.mul (local.get $height) (local.get $pitch))))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $nextPicture (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  ;; end
