;; column_pairs.wat: Σ a and Σ a · (x - center) down each column of a block of rows, in one pass. Joined into other modules
;; behind double_sums.wat and a table with a row `NAME  a`, where $y is an element of `other` and $x is x - center.
;;
;; Parameters  other, from: addresses of y and x [rows, columns], of one pitch; rows, pitch, columns; centers, the numbers that
;;             are subtracted, one a column (0 is in place of one that is not finite); to, stride: where the sums go, in
;;             float64, Σ a of all columns and, `stride` bytes behind, Σ a · (x - center); both have room for whole vectors
;; Method      64 rows at a time, whose sums are kept in float32, and then added to those in float64; of these rows 16 columns
;;             (a cache line) at a time, then four, then what is left. So the block is read in order, and four chains of
;;             additions run side by side.
;; Accuracy    that of float32 in 64 terms

  ;; for each row
  ;; 16 columns.
  (func $NAMELine
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $centers i32) (param $to i32)
    (param $stride i32)
    (local $x v128) (local $y v128)
    (local $center0 v128) (local $sum0 v128) (local $product0 v128)
    (local $center1 v128) (local $sum1 v128) (local $product1 v128)
    (local $center2 v128) (local $sum2 v128) (local $product2 v128)
    (local $center3 v128) (local $sum3 v128) (local $product3 v128)
    (local.set $center0 (call $finiteOrZero (v128.load (local.get $centers))))
    (local.set $center1 (call $finiteOrZero (v128.load offset=16 (local.get $centers))))
    (local.set $center2 (call $finiteOrZero (v128.load offset=32 (local.get $centers))))
    (local.set $center3 (call $finiteOrZero (v128.load offset=48 (local.get $centers))))
    (loop $next
      (local.set $x (f32x4.sub (v128.load (local.get $from)) (local.get $center0)))
      (local.set $y (v128.load (local.get $other)))
      (local.set $sum0 (f32x4.add (local.get $sum0) VALUE))
      (local.set $product0 (f32x4.add (local.get $product0) (f32x4.mul VALUE (local.get $x))))
      (local.set $x (f32x4.sub (v128.load offset=16 (local.get $from)) (local.get $center1)))
      (local.set $y (v128.load offset=16 (local.get $other)))
      (local.set $sum1 (f32x4.add (local.get $sum1) VALUE))
      (local.set $product1 (f32x4.add (local.get $product1) (f32x4.mul VALUE (local.get $x))))
      (local.set $x (f32x4.sub (v128.load offset=32 (local.get $from)) (local.get $center2)))
      (local.set $y (v128.load offset=32 (local.get $other)))
      (local.set $sum2 (f32x4.add (local.get $sum2) VALUE))
      (local.set $product2 (f32x4.add (local.get $product2) (f32x4.mul VALUE (local.get $x))))
      (local.set $x (f32x4.sub (v128.load offset=48 (local.get $from)) (local.get $center3)))
      (local.set $y (v128.load offset=48 (local.get $other)))
      (local.set $sum3 (f32x4.add (local.get $sum3) VALUE))
      (local.set $product3 (f32x4.add (local.get $product3) (f32x4.mul VALUE (local.get $x))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $other (i32.add (local.get $other) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
    (call $addTo (local.get $to) (local.get $sum0))
    (call $addTo (i32.add (local.get $to) (i32.const 32)) (local.get $sum1))
    (call $addTo (i32.add (local.get $to) (i32.const 64)) (local.get $sum2))
    (call $addTo (i32.add (local.get $to) (i32.const 96)) (local.get $sum3))
    (local.set $to (i32.add (local.get $to) (local.get $stride)))
    (call $addTo (local.get $to) (local.get $product0))
    (call $addTo (i32.add (local.get $to) (i32.const 32)) (local.get $product1))
    (call $addTo (i32.add (local.get $to) (i32.const 64)) (local.get $product2))
    (call $addTo (i32.add (local.get $to) (i32.const 96)) (local.get $product3)))

  ;; The first `columns` of four columns.
  (func $NAMEQuad
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $columns i32) (param $centers i32)
    (param $to i32) (param $stride i32)
    (local $x v128) (local $y v128) (local $center v128) (local $sum v128) (local $product v128)
    (local.set $center (call $finiteOrZero (call $loadUpToFour (local.get $centers) (local.get $columns))))
    (loop $next
      (local.set $x
        (f32x4.sub (call $loadUpToFour (local.get $from) (local.get $columns)) (local.get $center)))
      (local.set $y (call $loadUpToFour (local.get $other) (local.get $columns)))
      (local.set $sum (f32x4.add (local.get $sum) VALUE))
      (local.set $product (f32x4.add (local.get $product) (f32x4.mul VALUE (local.get $x))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $other (i32.add (local.get $other) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
    (call $addTo (local.get $to) (local.get $sum))
    (call $addTo (i32.add (local.get $to) (local.get $stride)) (local.get $product)))

  (func (export "NAME")
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $columns i32) (param $centers i32)
    (param $to i32) (param $stride i32)
    (local $some i32) (local $left i32) (local $at i32) (local $sums i32)
    (local.set $sums (i32.shl (i32.and (i32.add (local.get $columns) (i32.const 3)) (i32.const -4)) (i32.const 3)))
    (memory.fill (local.get $to) (i32.const 0) (local.get $sums))
    (memory.fill (i32.add (local.get $to) (local.get $stride)) (i32.const 0) (local.get $sums))
    (loop $nextRows
      (local.set $some
        (select (i32.const 64) (local.get $rows) (i32.ge_u (local.get $rows) (i32.const 64))))
      (local.set $left (local.get $columns))
      (local.set $at (i32.const 0))
      (local.set $sums (local.get $to))
      (block $linesDone
        (loop $nextLine
          (br_if $linesDone (i32.lt_u (local.get $left) (i32.const 16)))
          (call $NAMELine
            (i32.add (local.get $other) (local.get $at)) (i32.add (local.get $from) (local.get $at))
            (local.get $some) (local.get $pitch) (i32.add (local.get $centers) (local.get $at))
            (local.get $sums) (local.get $stride))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (local.set $sums (i32.add (local.get $sums) (i32.const 128)))
          (local.set $left (i32.sub (local.get $left) (i32.const 16)))
          (br $nextLine)))
      (block $quadsDone
        (loop $nextQuad
          (br_if $quadsDone (i32.eqz (local.get $left)))
          (call $NAMEQuad
            (i32.add (local.get $other) (local.get $at)) (i32.add (local.get $from) (local.get $at))
            (local.get $some) (local.get $pitch) (local.get $left) (i32.add (local.get $centers) (local.get $at))
            (local.get $sums) (local.get $stride))
          (br_if $quadsDone (i32.le_u (local.get $left) (i32.const 4)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $sums (i32.add (local.get $sums) (i32.const 32)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (local.set $from (i32.add (local.get $from) (i32.mul (local.get $some) (local.get $pitch))))
      (local.set $other (i32.add (local.get $other) (i32.mul (local.get $some) (local.get $pitch))))
      (br_if $nextRows (local.tee $rows (i32.sub (local.get $rows) (local.get $some))))))
  ;; end
