;; argmax.wat: where the largest element of each row is, for the CPU device, WebAssembly SIMD.
;;
;; Computes    argmax              to[r] = the first position of row r's largest element; of its first NaN where it has one
;;             correctPredictions  to[r] = 1 where that position is target[r] and the row has no NaN, else 0
;;             accuracy            to[] = the mean of correctPredictions
;;             confusion           totals[target[r], that position] += 1 for each row; column C is that of rows with NaN
;; Parameters  from [rows, C], target [rows], to [rows], rows, C: addresses and sizes
;; Method      the largest element, then the first that is equal to it: 4 B read twice an element, the second time from
;;             the cache
;; Reference   lib/ops/reduce/argmax.ts, lib/ops/loss/accuracy.ts, lib/ops/loss/confusion.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/largest.wat

  ;; The first position of `value` in a row that has it; for NaN, of the first NaN.
  (func $positionOf (param $from i32) (param $C i32) (param $value f32) (result i32)
    (local $position i32) (local $x v128) (local $found i32)
    (loop $nextQuad
      (local.set $x
        (if (result v128) (i32.ge_u (i32.sub (local.get $C) (local.get $position)) (i32.const 4))
          (then (v128.load (local.get $from)))
          (else
            (call $loadSome
              (local.get $from) (i32.sub (local.get $C) (local.get $position)) (f32x4.splat (f32.const nan))))))
      (local.set $found
        (i32x4.bitmask
          (if (result v128) (f32.eq (local.get $value) (local.get $value))
            (then (f32x4.eq (local.get $x) (f32x4.splat (local.get $value))))
            (else (f32x4.ne (local.get $x) (local.get $x))))))
      (if (local.get $found)
        (then (return (i32.add (local.get $position) (i32.ctz (local.get $found))))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $nextQuad
        (i32.lt_u (local.tee $position (i32.add (local.get $position) (i32.const 4))) (local.get $C))))
    (i32.const 0))

  (func (export "argmax") (param $from i32) (param $to i32) (param $rows i32) (param $C i32)
    (loop $nextRow
      (i32.store (local.get $to)
        (call $positionOf
          (local.get $from) (local.get $C) (call $largest (local.get $from) (local.get $C))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Whether the largest element of a row, which must not have NaN, stands at a position.
  (func $isCorrect (param $from i32) (param $C i32) (param $target i32) (result f32)
    (local $largest f32)
    (local.set $largest (call $largest (local.get $from) (local.get $C)))
    (f32.convert_i32_u
      (i32.and
        (f32.eq (local.get $largest) (local.get $largest))
        (i32.eq (call $positionOf (local.get $from) (local.get $C) (local.get $largest)) (local.get $target)))))

  (func (export "correctPredictions")
    (param $from i32) (param $target i32) (param $to i32) (param $rows i32) (param $C i32)
    (loop $nextRow
      (f32.store (local.get $to)
        (call $isCorrect (local.get $from) (local.get $C) (i32.load (local.get $target))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "accuracy")
    (param $from i32) (param $target i32) (param $to i32) (param $rows i32) (param $C i32)
    (local $left i32) (local $hits f32)
    (local.set $left (local.get $rows))
    (loop $nextRow
      (local.set $hits
        (f32.add (local.get $hits)
          (call $isCorrect (local.get $from) (local.get $C) (i32.load (local.get $target)))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (br_if $nextRow (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (f32.store (local.get $to) (f32.div (local.get $hits) (f32.convert_i32_u (local.get $rows)))))

  (func (export "confusion")
    (param $totals i32) (param $from i32) (param $target i32) (param $rows i32) (param $C i32)
    (local $label i32) (local $largest f32) (local $place i32)
    (loop $nextRow
      (local.set $label (i32.load (local.get $target)))
      (if (i32.lt_u (local.get $label) (local.get $C))
        (then
          (local.set $largest (call $largest (local.get $from) (local.get $C)))
          (local.set $place
            (if (result i32) (f32.eq (local.get $largest) (local.get $largest))
              (then (call $positionOf (local.get $from) (local.get $C) (local.get $largest)))
              (else (local.get $C))))
          (local.set $place
            (i32.add (local.get $totals)
              (i32.shl
                (i32.add (i32.mul (local.get $label) (i32.add (local.get $C) (i32.const 1))) (local.get $place))
                (i32.const 2))))
          (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
