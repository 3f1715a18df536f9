;; matmul_parts.wat: joins the parts of a product whose k are many, for the CPU device, WebAssembly SIMD.
;;
;; Computes    addPart  sum[r, c] += part[r, c]; what rounding takes from the sum is added to lost[r, c]
;;             addLost  sum[r, c] += lost[r, c]
;; Parameters  sum: an address, and bytes from one row to the next; lost and part: addresses of rows of whole vectors; rows,
;;             columns; whether this is the first part that is added, before which nothing is lost
;; Accuracy    a sum of any number of parts is as good as one addition
;; Cost        20 B moved an element of C and 10 flop, for each 16,384 flop of the product
;; Edges       what is not finite loses nothing; what is left of a row of the sum (1 to 3 elements) is loaded and stored one by
;;             one
;; Source      Knuth, "The Art of Computer Programming" 2, 4.2.2, theorem C: the error of an addition
;; Reference   lib/ops/matmul/matmul.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  (func (export "addPart") (param $sum i32) (param $pitch i32) (param $lost i32) (param $part i32)
                           (param $rows i32) (param $columns i32) (param $isFirst i32)
    (local $at i32) (local $left i32) (local $a v128) (local $b v128) (local $s v128) (local $gained v128)
    (local $error v128)
    (loop $nextRow
      (local.set $at (local.get $sum))
      (local.set $left (local.get $columns))
      (loop $nextQuad
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then (local.set $a (v128.load (local.get $at))))
          (else (local.set $a (call $loadSome (local.get $at) (local.get $left) (v128.const f32x4 0 0 0 0)))))
        (local.set $b (v128.load (local.get $part)))
        (local.set $s (f32x4.add (local.get $a) (local.get $b)))
        (local.set $gained (f32x4.sub (local.get $s) (local.get $a)))
        (local.set $error
          (f32x4.add
            (f32x4.sub (local.get $a) (f32x4.sub (local.get $s) (local.get $gained)))
            (f32x4.sub (local.get $b) (local.get $gained))))
        (local.set $error (v128.and (local.get $error) (f32x4.eq (local.get $error) (local.get $error))))
        (if (i32.eqz (local.get $isFirst))
          (then (local.set $error (f32x4.add (local.get $error) (v128.load (local.get $lost))))))
        (v128.store (local.get $lost) (local.get $error))
        (local.set $part (i32.add (local.get $part) (i32.const 16)))
        (local.set $lost (i32.add (local.get $lost) (i32.const 16)))
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (v128.store (local.get $at) (local.get $s))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $nextQuad (local.tee $left (i32.sub (local.get $left) (i32.const 4)))))
          (else (call $storeSome (local.get $at) (local.get $left) (local.get $s)))))
      (local.set $sum (i32.add (local.get $sum) (local.get $pitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "addLost") (param $sum i32) (param $pitch i32) (param $lost i32) (param $rows i32) (param $columns i32)
    (local $at i32) (local $left i32)
    (loop $nextRow
      (local.set $at (local.get $sum))
      (local.set $left (local.get $columns))
      (block $whole
        (loop $nextQuad
          (br_if $whole (i32.lt_u (local.get $left) (i32.const 4)))
          (v128.store (local.get $at) (f32x4.add (v128.load (local.get $at)) (v128.load (local.get $lost))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $lost (i32.add (local.get $lost) (i32.const 16)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (if (local.get $left)
        (then
          (call $storeSome (local.get $at) (local.get $left)
            (f32x4.add
              (call $loadSome (local.get $at) (local.get $left) (v128.const f32x4 0 0 0 0))
              (v128.load (local.get $lost))))
          (local.set $lost (i32.add (local.get $lost) (i32.const 16)))))
      (local.set $sum (i32.add (local.get $sum) (local.get $pitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))
