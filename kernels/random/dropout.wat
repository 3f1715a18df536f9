;; dropout.wat: to[r, c] = kept ? scale · from[r, c] : 0 for the CPU device, WebAssembly SIMD.
;;
;; Parameters  from, fromPitch, to, toPitch: addresses, and bytes from one row to the next; rows, columns; first, pitch:
;;             the number of the block's first element, and elements from one row to the next, which the random bits
;;             belong to; state, stream, use: where the bits are drawn; threshold: of 24 bits, what is below is dropped;
;;             scale; scratch: 80 B. Contiguous elements are one row. `to` may be `from`.
;; Method      random bits are drawn for 16 elements at a time, those whose numbers have the same part before the last
;;             four bits, and used for as many of them as belong to the row
;; Cost        about 1 ns an element, most of it Philox
;; Edges       what is left of a row is loaded and stored one by one: nothing beside it is written
;; Reference   lib/ops/random/dropout.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/philox.wat

  ;; `count` elements, whose random words begin at `words`.
  (func $dropSome
    (param $words i32) (param $from i32) (param $to i32) (param $count i32) (param $threshold v128) (param $scale v128)
    (local $x v128)
    (loop $nextQuad
      (if (i32.ge_u (local.get $count) (i32.const 4))
        (then (local.set $x (v128.load (local.get $from))))
        (else (local.set $x (call $loadSome (local.get $from) (local.get $count) (local.get $scale)))))
      (local.set $x
        (v128.and
          (f32x4.mul (local.get $x) (local.get $scale))
          (i32x4.ge_u
            (i32x4.shr_u (v128.load (local.get $words)) (i32.const 8))
            (local.get $threshold))))
      (if (i32.ge_u (local.get $count) (i32.const 4))
        (then
          (v128.store (local.get $to) (local.get $x))
          (local.set $words (i32.add (local.get $words) (i32.const 16)))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $nextQuad (local.tee $count (i32.sub (local.get $count) (i32.const 4)))))
        (else (call $storeSome (local.get $to) (local.get $count) (local.get $x))))))

  (func (export "dropout")
    (param $from i32) (param $fromPitch i32) (param $to i32) (param $toPitch i32) (param $rows i32) (param $columns i32)
    (param $first i32) (param $pitch i32) (param $state i32) (param $stream i32) (param $use i32)
    (param $threshold i32) (param $scale f32) (param $scratch i32)
    (local $column i32) (local $element i32) (local $at i32) (local $count i32) (local $offset i32)
    (loop $nextRow
      (local.set $column (i32.const 0))
      (loop $nextDraw
        (local.set $element (i32.add (local.get $first) (local.get $column)))
        (local.set $at (i32.and (local.get $element) (i32.const 15)))
        (local.set $count (i32.sub (i32.const 16) (local.get $at)))
        (if (i32.gt_u (local.get $count) (i32.sub (local.get $columns) (local.get $column)))
          (then (local.set $count (i32.sub (local.get $columns) (local.get $column)))))
        (call $drawBlocks
          (i32.shl (i32.shr_u (local.get $element) (i32.const 4)) (i32.const 2))
          (local.get $state) (local.get $stream) (local.get $use) (local.get $scratch))
        (local.set $offset (i32.shl (local.get $column) (i32.const 2)))
        (call $dropSome
          (i32.add (local.get $scratch) (i32.shl (local.get $at) (i32.const 2)))
          (i32.add (local.get $from) (local.get $offset))
          (i32.add (local.get $to) (local.get $offset))
          (local.get $count) (i32x4.splat (local.get $threshold)) (f32x4.splat (local.get $scale)))
        (br_if $nextDraw
          (i32.lt_u
            (local.tee $column (i32.add (local.get $column) (local.get $count)))
            (local.get $columns))))
      (local.set $from (i32.add (local.get $from) (local.get $fromPitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (local.set $first (i32.add (local.get $first) (local.get $pitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
