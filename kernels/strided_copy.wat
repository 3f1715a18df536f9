;; strided_copy.wat: a block of one tensor moved into a block of another, for the CPU device, WebAssembly SIMD.
;;
;; Computes    move  to[r · toPitch + c · toStep] = from[r · fromPitch + c · fromStep];  fill  to[i] = value
;; Parameters  move: from, fromPitch, fromStep, to, toPitch, toStep (addresses and bytes), rows, columns
;;             fill: to, count, value: the bits of an element
;; Method      rows that are contiguous on both sides are copied four elements at a time, one value that is repeated is
;;             filled in alike; everything else moves element by element
;; Cost        8 B moved an element: bound by memory bandwidth, a transpose of large matrices by the cache lines it reads
;; Reference   lib/ops/moving.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common.wat

  (func (export "fill") (param $to i32) (param $count i32) (param $value i32)
    (call $fillElements (local.get $to) (local.get $count) (i32x4.splat (local.get $value))))

  (func $copyStrided
    (param $from i32) (param $fromStep i32) (param $to i32) (param $toStep i32) (param $count i32)
    (loop $next
      (i32.store (local.get $to) (i32.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (local.get $fromStep)))
      (local.set $to (i32.add (local.get $to) (local.get $toStep)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func (export "move")
    (param $from i32) (param $fromPitch i32) (param $fromStep i32) (param $to i32) (param $toPitch i32)
    (param $toStep i32) (param $rows i32) (param $columns i32)
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
