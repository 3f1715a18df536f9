;; windows.wat: joined into kernels of pooling, behind a table whose rows are a name and the function that makes something of all
;; channels of a window: that for all windows of some rows.
;;
;; Parameters  from, to, places: addresses of the pictures, of what is made of them, and of the winners' places, a byte for each
;;             channel, four channels a word (of averages, anything); first, count: rows of windows, counted through all pictures;
;;             channels; height, width, rows, columns; kernel, stride, dilation (height, width each); padding: top, left; what of it
;;             counts: top, bottom, left, right
;; Function    its first place inside of the picture, how many rows and columns of places are inside; bytes from one to
;;             the next, down and across; the number of the first one, and of places in a row; how many places count;
;;             where the results go, and their places; channels
;; Edges       a function is told of the places inside of the picture alone, which may be none. Most windows lie inside as
;;             a whole: nothing is called and divided for them
  ;; for each row
  (func (export "NAME")
    (param $from i32) (param $to i32) (param $places i32) (param $first i32) (param $count i32)
    (param $channels i32) (param $height i32) (param $width i32) (param $rows i32) (param $columns i32)
    (param $kernelHeight i32) (param $kernelWidth i32) (param $strideHeight i32) (param $strideWidth i32)
    (param $dilationHeight i32) (param $dilationWidth i32) (param $top i32) (param $left i32)
    (param $countedTop i32) (param $countedBottom i32) (param $countedLeft i32) (param $countedRight i32)
    (local $element i32) (local $words i32) (local $rowPitch i32) (local $columnPitch i32) (local $n i32)
    (local $row i32) (local $column i32) (local $y i32) (local $x i32) (local $i i32) (local $j i32) (local $endI i32)
    (local $endJ i32) (local $countedRows i32) (local $line i32) (local $span i32) (local $counted i32)
    (local.set $element (i32.shl (local.get $channels) (i32.const 2)))
    (local.set $words (i32.and (i32.add (local.get $channels) (i32.const 3)) (i32.const -4)))
    (local.set $columnPitch (i32.mul (local.get $dilationWidth) (local.get $element)))
    (local.set $rowPitch
      (i32.mul (local.get $dilationHeight) (i32.mul (local.get $width) (local.get $element))))
    (local.set $span
      (i32.add (i32.mul (i32.sub (local.get $kernelWidth) (i32.const 1)) (local.get $dilationWidth)) (i32.const 1)))
    (local.set $line (i32.mul (local.get $first) (local.get $columns)))
    (local.set $to (i32.add (local.get $to) (i32.mul (local.get $line) (local.get $element))))
    (local.set $places (i32.add (local.get $places) (i32.mul (local.get $line) (local.get $words))))
    (loop $nextRow
      (local.set $n (i32.div_u (local.get $first) (local.get $rows)))
      (local.set $row (i32.sub (local.get $first) (i32.mul (local.get $n) (local.get $rows))))
      (local.set $y (i32.sub (i32.mul (local.get $row) (local.get $strideHeight)) (local.get $top)))
      (local.set $i (call $firstInside (local.get $y) (local.get $dilationHeight)))
      (local.set $endI
        (call $endInside (local.get $y) (local.get $dilationHeight) (local.get $kernelHeight) (local.get $height)))
      (local.set $countedRows
        (call $countedAlong
          (local.get $y) (local.get $kernelHeight) (local.get $height)
          (local.get $countedTop) (local.get $countedBottom)))
      ;; The first line inside.
      (local.set $line
        (i32.add
          (local.get $from)
          (i32.mul
            (i32.mul
              (i32.add
                (i32.add (i32.mul (local.get $n) (local.get $height)) (local.get $y))
                (i32.mul (local.get $i) (local.get $dilationHeight)))
              (local.get $width))
            (local.get $element))))
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
              (call $endInside (local.get $x) (local.get $dilationWidth) (local.get $kernelWidth) (local.get $width)))
            (local.set $counted
              (call $countedAlong
                (local.get $x) (local.get $kernelWidth) (local.get $width)
                (local.get $countedLeft) (local.get $countedRight)))))
        (call $VALUE
          (i32.add
            (local.get $line)
            (i32.mul
              (i32.add (local.get $x) (i32.mul (local.get $j) (local.get $dilationWidth)))
              (local.get $element)))
          (i32.sub (local.get $endI) (local.get $i)) (i32.sub (local.get $endJ) (local.get $j))
          (local.get $rowPitch) (local.get $columnPitch)
          (i32.add (i32.mul (local.get $i) (local.get $kernelWidth)) (local.get $j)) (local.get $kernelWidth)
          (f32.convert_i32_s (i32.mul (local.get $countedRows) (local.get $counted)))
          (local.get $to) (local.get $places) (local.get $channels))
        (local.set $to (i32.add (local.get $to) (local.get $element)))
        (local.set $places (i32.add (local.get $places) (local.get $words)))
        (br_if $nextColumn
          (i32.lt_s (local.tee $column (i32.add (local.get $column) (i32.const 1))) (local.get $columns))))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $nextRow (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  ;; end
