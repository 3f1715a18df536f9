;; gather.wat: rows of a table by their numbers, and the gradient, for the CPU device, WebAssembly SIMD.
;;
;; Computes    gather      to[i, :] = table[indices[i], :];  `missing` where there is no such row
;;             scatterAdd  dTable[r, :] = Σ over i with indices[i] = r of dOutput[i, :], in order of i
;; Parameters  gather: table [R, D], indices [I], to [I, D], R, D, I, missing: the bits of an element
;;             scatterAdd: dOutput, indices, dTable, R, D, I, columns: some columns of all rows, D apart; scratch [R + I]
;; Method      scatterAdd sorts the indices by rows (a counting sort, which keeps their order), so that a row's sum is taken at
;;             one go, in float64
;; Cost        8 B moved an element: bound by memory bandwidth. Long rows are left to memory.copy.
;; Reference   lib/ops/moving/gather.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (func (export "gather")
    (param $table i32) (param $indices i32) (param $to i32) (param $R i32) (param $D i32) (param $I i32)
    (param $missing i32)
    (local $row i32) (local $bytes i32) (local $from i32)
    (local.set $bytes (i32.shl (local.get $D) (i32.const 2)))
    (loop $next
      (local.set $row (i32.load (local.get $indices)))
      (local.set $from (i32.add (local.get $table) (i32.mul (local.get $row) (local.get $bytes))))
      (if (i32.ge_u (local.get $row) (local.get $R))
        (then (call $fillElements (local.get $to) (local.get $D) (i32x4.splat (local.get $missing))))
        (else
          (if (i32.ge_u (local.get $D) (i32.const 64))
            (then (memory.copy (local.get $to) (local.get $from) (local.get $bytes)))
            (else (call $copyElements (local.get $from) (local.get $to) (local.get $D))))))
      (local.set $indices (i32.add (local.get $indices) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (local.get $bytes)))
      (br_if $next (local.tee $I (i32.sub (local.get $I) (i32.const 1))))))

  ;; The upper two of four floats, as doubles.
  (func $upper (param $x v128) (result v128)
    (f64x2.promote_low_f32x4
      (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))))

  (func $rounded (param $low v128) (param $high v128) (result v128)
    (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
      (f32x4.demote_f64x2_zero (local.get $low)) (f32x4.demote_f64x2_zero (local.get $high))))

  ;; Σ of 16 columns over the rows of dOutput that the offsets from $from to $end name.
  (func $sumLine (param $dOutput i32) (param $from i32) (param $end i32) (param $to i32)
    (local $row i32)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $s4 v128) (local $s5 v128) (local $s6 v128) (local $s7 v128)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $row (i32.add (local.get $dOutput) (i32.load (local.get $from))))
        (local.set $s0 (f64x2.add (local.get $s0) (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $row)))))
        (local.set $s1 (f64x2.add (local.get $s1) (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $row)))))
        (local.set $s2 (f64x2.add (local.get $s2) (f64x2.promote_low_f32x4 (v128.load64_zero offset=16 (local.get $row)))))
        (local.set $s3 (f64x2.add (local.get $s3) (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $row)))))
        (local.set $s4 (f64x2.add (local.get $s4) (f64x2.promote_low_f32x4 (v128.load64_zero offset=32 (local.get $row)))))
        (local.set $s5 (f64x2.add (local.get $s5) (f64x2.promote_low_f32x4 (v128.load64_zero offset=40 (local.get $row)))))
        (local.set $s6 (f64x2.add (local.get $s6) (f64x2.promote_low_f32x4 (v128.load64_zero offset=48 (local.get $row)))))
        (local.set $s7 (f64x2.add (local.get $s7) (f64x2.promote_low_f32x4 (v128.load64_zero offset=56 (local.get $row)))))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (br $next)))
    (v128.store (local.get $to) (call $rounded (local.get $s0) (local.get $s1)))
    (v128.store offset=16 (local.get $to) (call $rounded (local.get $s2) (local.get $s3)))
    (v128.store offset=32 (local.get $to) (call $rounded (local.get $s4) (local.get $s5)))
    (v128.store offset=48 (local.get $to) (call $rounded (local.get $s6) (local.get $s7))))

  ;; The same of the first $columns of four columns.
  (func $sumQuad (param $dOutput i32) (param $from i32) (param $end i32) (param $to i32) (param $columns i32)
    (local $row i32) (local $x v128) (local $low v128) (local $high v128)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $row (i32.add (local.get $dOutput) (i32.load (local.get $from))))
        (if (i32.ge_u (local.get $columns) (i32.const 4))
          (then (local.set $x (v128.load (local.get $row))))
          (else (local.set $x (call $loadSome (local.get $row) (local.get $columns) (local.get $x)))))
        (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $x))))
        (local.set $high (f64x2.add (local.get $high) (call $upper (local.get $x))))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (br $next)))
    (if (i32.ge_u (local.get $columns) (i32.const 4))
      (then (v128.store (local.get $to) (call $rounded (local.get $low) (local.get $high))))
      (else (call $storeSome (local.get $to) (local.get $columns) (call $rounded (local.get $low) (local.get $high))))))

  (func $sumRow (param $dOutput i32) (param $from i32) (param $end i32) (param $to i32) (param $columns i32)
    (block $linesDone
      (loop $nextLine
        (br_if $linesDone (i32.lt_u (local.get $columns) (i32.const 16)))
        (call $sumLine (local.get $dOutput) (local.get $from) (local.get $end) (local.get $to))
        (local.set $dOutput (i32.add (local.get $dOutput) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 16)))
        (br $nextLine)))
    (block $quadsDone
      (loop $nextQuad
        (br_if $quadsDone (i32.le_s (local.get $columns) (i32.const 0)))
        (call $sumQuad (local.get $dOutput) (local.get $from) (local.get $end) (local.get $to) (local.get $columns))
        (local.set $dOutput (i32.add (local.get $dOutput) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 4)))
        (br $nextQuad))))

  (func (export "scatterAdd")
    (param $dOutput i32) (param $indices i32) (param $dTable i32) (param $R i32) (param $D i32) (param $I i32)
    (param $columns i32) (param $places i32)
    (local $order i32) (local $bytes i32) (local $i i32) (local $row i32) (local $at i32) (local $count i32) (local $begin i32)
    (local.set $bytes (i32.shl (local.get $D) (i32.const 2)))
    (local.set $order (i32.add (local.get $places) (i32.shl (local.get $R) (i32.const 2))))

    ;; places[row]: how often it was taken; then where its part of the order begins.
    (call $fillElements (local.get $places) (local.get $R) (i32x4.splat (i32.const 0)))
    (block $counted
      (loop $next
        (br_if $counted (i32.ge_u (local.get $i) (local.get $I)))
        (local.set $row (i32.load (i32.add (local.get $indices) (i32.shl (local.get $i) (i32.const 2)))))
        (if (i32.lt_u (local.get $row) (local.get $R))
          (then
            (local.set $at (i32.add (local.get $places) (i32.shl (local.get $row) (i32.const 2))))
            (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.set $at (local.get $places))
    (local.set $begin (local.get $order))
    (block $begun
      (loop $next
        (br_if $begun (i32.ge_u (local.get $at) (local.get $order)))
        (local.set $count (i32.load (local.get $at)))
        (i32.store (local.get $at) (local.get $begin))
        (local.set $begin (i32.add (local.get $begin) (i32.shl (local.get $count) (i32.const 2))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $next)))

    ;; order: where the rows of dOutput lie, those of one row of the table together; places[row]: where its part ends.
    (local.set $i (i32.const 0))
    (block $ordered
      (loop $next
        (br_if $ordered (i32.ge_u (local.get $i) (local.get $I)))
        (local.set $row (i32.load (i32.add (local.get $indices) (i32.shl (local.get $i) (i32.const 2)))))
        (if (i32.lt_u (local.get $row) (local.get $R))
          (then
            (local.set $at (i32.add (local.get $places) (i32.shl (local.get $row) (i32.const 2))))
            (i32.store (i32.load (local.get $at)) (i32.mul (local.get $i) (local.get $bytes)))
            (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 4)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))

    (local.set $begin (local.get $order))
    (block $done
      (loop $nextRow
        (br_if $done (i32.ge_u (local.get $places) (local.get $order)))
        (local.set $at (i32.load (local.get $places)))
        (call $sumRow
          (local.get $dOutput) (local.get $begin) (local.get $at) (local.get $dTable) (local.get $columns))
        (local.set $begin (local.get $at))
        (local.set $dTable (i32.add (local.get $dTable) (local.get $bytes)))
        (local.set $places (i32.add (local.get $places) (i32.const 4)))
        (br $nextRow))))
)
