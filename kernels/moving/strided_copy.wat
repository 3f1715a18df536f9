;; strided_copy.wat: a block of one tensor moved into a block of another, for the CPU device, WebAssembly SIMD.
;;
;; Computes    move  to[r · toPitch + c · toStep] = from[r · fromPitch + c · fromStep];  fill  to[r · toPitch + c] = value
;; Parameters  move: from, fromPitch, fromStep, to, toPitch, toStep (addresses and bytes), rows, columns
;;             fill: to, toPitch, rows, columns, value: the bits of an element
;; Method      rows that are contiguous on both sides are copied four elements at a time, one value that is repeated is
;;             filled in alike; a transpose goes in blocks of 4 x 4; everything else moves element by element
;; Cost        8 B moved an element: bound by memory bandwidth, a transpose of large matrices by the cache lines it reads
;; Edges       rows and columns beyond whole blocks move element by element; nothing beside the block is written
;; Reference   lib/ops/moving/moving.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (func (export "fill") (param $to i32) (param $toPitch i32) (param $rows i32) (param $columns i32) (param $value i32)
    (loop $next
      (call $fillElements (local.get $to) (local.get $columns) (i32x4.splat (local.get $value)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func $copyStrided
    (param $from i32) (param $fromStep i32) (param $to i32) (param $toStep i32) (param $count i32)
    (loop $next
      (i32.store (local.get $to) (i32.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (local.get $fromStep)))
      (local.set $to (i32.add (local.get $to) (local.get $toStep)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Four rows of a transpose: from[c · fromStep + r · 4], r = 0 … 3, to to[r · toPitch + c · 4].
  (func $transposeFour
    (param $from i32) (param $fromStep i32) (param $to i32) (param $toPitch i32) (param $columns i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $ab v128) (local $cd v128) (local $to1 i32) (local $to2 i32) (local $to3 i32)
    (local.set $to1 (i32.add (local.get $to) (local.get $toPitch)))
    (local.set $to2 (i32.add (local.get $to1) (local.get $toPitch)))
    (local.set $to3 (i32.add (local.get $to2) (local.get $toPitch)))
    (block $blocksDone
      (loop $nextBlock
        (br_if $blocksDone (i32.lt_u (local.get $columns) (i32.const 4)))
        (local.set $a (v128.load (local.get $from)))
        (local.set $b (v128.load (local.tee $from (i32.add (local.get $from) (local.get $fromStep)))))
        (local.set $c (v128.load (local.tee $from (i32.add (local.get $from) (local.get $fromStep)))))
        (local.set $d (v128.load (local.tee $from (i32.add (local.get $from) (local.get $fromStep)))))
        (local.set $from (i32.add (local.get $from) (local.get $fromStep)))
        ;; a.0 b.0 a.1 b.1 and c.0 d.0 c.1 d.1: the first two rows; then the other two.
        (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
        (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
        (v128.store (local.get $to)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
        (v128.store (local.get $to1)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
        (local.set $ab (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
        (local.set $cd (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
        (v128.store (local.get $to2)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
        (v128.store (local.get $to3)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $to1 (i32.add (local.get $to1) (i32.const 16)))
        (local.set $to2 (i32.add (local.get $to2) (i32.const 16)))
        (local.set $to3 (i32.add (local.get $to3) (i32.const 16)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 4)))
        (br $nextBlock)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $columns)))
        (local.set $a (v128.load (local.get $from)))
        (v128.store32_lane 0 (local.get $to) (local.get $a))
        (v128.store32_lane 1 (local.get $to1) (local.get $a))
        (v128.store32_lane 2 (local.get $to2) (local.get $a))
        (v128.store32_lane 3 (local.get $to3) (local.get $a))
        (local.set $from (i32.add (local.get $from) (local.get $fromStep)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (local.set $to1 (i32.add (local.get $to1) (i32.const 4)))
        (local.set $to2 (i32.add (local.get $to2) (i32.const 4)))
        (local.set $to3 (i32.add (local.get $to3) (i32.const 4)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 1)))
        (br $next))))

  (func (export "move")
    (param $from i32) (param $fromPitch i32) (param $fromStep i32) (param $to i32) (param $toPitch i32)
    (param $toStep i32) (param $rows i32) (param $columns i32)
    (if (i32.and (i32.eq (local.get $fromPitch) (i32.const 4)) (i32.eq (local.get $toStep) (i32.const 4)))
      (then
        (block $foursDone
          (loop $nextFour
            (br_if $foursDone (i32.lt_u (local.get $rows) (i32.const 4)))
            (call $transposeFour
              (local.get $from) (local.get $fromStep) (local.get $to) (local.get $toPitch) (local.get $columns))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.shl (local.get $toPitch) (i32.const 2))))
            (local.set $rows (i32.sub (local.get $rows) (i32.const 4)))
            (br $nextFour)))
        (if (i32.eqz (local.get $rows)) (then (return)))))
    (loop $next
      (if (i32.and (i32.eq (local.get $fromStep) (i32.const 4)) (i32.eq (local.get $toStep) (i32.const 4)))
        (then (call $copyElements (local.get $from) (local.get $to) (local.get $columns)))
        (else
          (if (i32.and (i32.eqz (local.get $fromStep)) (i32.eq (local.get $toStep) (i32.const 4)))
            (then
              (call $fillElements (local.get $to) (local.get $columns) (v128.load32_splat (local.get $from))))
            (else
              (call $copyStrided
                (local.get $from) (local.get $fromStep) (local.get $to) (local.get $toStep) (local.get $columns))))))
      (local.set $from (i32.add (local.get $from) (local.get $fromPitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
