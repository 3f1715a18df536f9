;; gather.wat: rows of a table by their numbers, and the gradient, for the CPU device, WebAssembly SIMD.
;;
;; Computes    gather      to[i, :] = table[indices[i], :];  `missing` where there is no such row
;;             scatterAdd  dTable[r, :] = Σ over i with indices[i] = r of dOutput[i, :], in order of i
;; Parameters  gather: table [R, D], indices [I], to [I, D], R, D, I, missing: the bits of an element
;;             scatterAdd: dOutput, indices, dTable, R, D, I, columns: some columns of all rows, D apart
;; Cost        8 B moved an element, 12 by scatterAdd: bound by memory bandwidth. Long rows are left to memory.copy.
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

  (func $addElements (param $from i32) (param $to i32) (param $count i32)
    (block $done
      (loop $nextQuad
        (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
        (v128.store (local.get $to)
          (f32x4.add (v128.load (local.get $to)) (v128.load (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextQuad)))
    (call $storeSome (local.get $to) (local.get $count)
      (f32x4.add
        (call $loadSome (local.get $to) (local.get $count) (f32x4.splat (f32.const 0)))
        (call $loadSome (local.get $from) (local.get $count) (f32x4.splat (f32.const 0))))))

  (func (export "scatterAdd")
    (param $dOutput i32) (param $indices i32) (param $dTable i32) (param $R i32) (param $D i32) (param $I i32)
    (param $columns i32)
    (local $row i32) (local $bytes i32)
    (local.set $bytes (i32.shl (local.get $D) (i32.const 2)))
    (loop $nextRow
      (call $fillElements
        (i32.add (local.get $dTable) (i32.mul (local.get $row) (local.get $bytes)))
        (local.get $columns) (i32x4.splat (i32.const 0)))
      (br_if $nextRow
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $R))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $I)))
        (local.set $row (i32.load (local.get $indices)))
        (if (i32.lt_u (local.get $row) (local.get $R))
          (then
            (call $addElements
              (local.get $dOutput)
              (i32.add (local.get $dTable) (i32.mul (local.get $row) (local.get $bytes)))
              (local.get $columns))))
        (local.set $indices (i32.add (local.get $indices) (i32.const 4)))
        (local.set $dOutput (i32.add (local.get $dOutput) (local.get $bytes)))
        (local.set $I (i32.sub (local.get $I) (i32.const 1)))
        (br $next))))
)
