;; column_pairs.wat: two sums down each column of a block of rows, in one pass. Joined into other modules behind double_sums.wat
;; and the functions `$pairLine`, which adds the sums of some rows of 16 columns to what is there, and `$pairQuad`, of up to four.
;;
;; Parameters  other, from: addresses of the operands [rows, columns], of one pitch; rows, pitch, columns; centers, numbers that
;;             are subtracted from elements of `from`, one a column (0 is in place of one that is not finite); to, stride:
;;             where the sums go, in float64, the first ones of all columns and, `stride` bytes behind, the second ones; both
;;             have room for whole vectors
;; Method      64 rows at a time, whose sums are kept in float32, and then added to those in float64; of these rows 16 columns
;;             (a cache line) at a time, then four, then what is left. So the block is read in order, and four chains of
;;             additions run side by side.
;; Accuracy    that of float32 in 64 terms

  (func (export "columnPairs")
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
          (call $pairLine
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
          (call $pairQuad
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
