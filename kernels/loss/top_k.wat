;; top_k.wat: 1 where the logit of a row's class is among its k largest, else 0, for the CPU device, WebAssembly SIMD.
;;
;; Parameters  from [rows, C], target [rows], to [rows], rows, C, k: addresses and sizes
;; Method      the logits that go before that of the class are counted, four at once: 4 B read an element
;; Reference   lib/ops/loss/top-k.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  ;; How many logits of a row go before that of a class; 2^32 - 1 where the row has NaN.
  (func $before (param $from i32) (param $C i32) (param $label i32) (result i32)
    (local $x v128) (local $own v128) (local $position v128) (local $last v128) (local $isNan v128)
    (local $left i32) (local $count i32)
    (local.set $own (v128.load32_splat (i32.add (local.get $from) (i32.shl (local.get $label) (i32.const 2)))))
    (local.set $last (i32x4.splat (local.get $label)))
    (local.set $position (v128.const i32x4 0 1 2 3))
    (local.set $left (local.get $C))
    (loop $nextQuad
      (local.set $x
        (if (result v128) (i32.ge_s (local.get $left) (i32.const 4))
          (then (v128.load (local.get $from)))
          (else (call $loadSome (local.get $from) (local.get $left) (f32x4.splat (f32.const -inf))))))
      (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
      (local.set $count
        (i32.add (local.get $count)
          (i32.popcnt
            (i32x4.bitmask
              (v128.or
                (f32x4.gt (local.get $x) (local.get $own))
                (v128.and
                  (f32x4.eq (local.get $x) (local.get $own))
                  (i32x4.lt_s (local.get $position) (local.get $last))))))))
      (local.set $position (i32x4.add (local.get $position) (i32x4.splat (i32.const 4))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $nextQuad
        (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0))))
    (if (v128.any_true (local.get $isNan)) (then (return (i32.const -1))))
    (local.get $count))

  (func (export "topK")
    (param $from i32) (param $target i32) (param $to i32) (param $rows i32) (param $C i32) (param $k i32)
    (local $label i32)
    (loop $nextRow
      (local.set $label (i32.load (local.get $target)))
      (f32.store (local.get $to)
        (if (result f32) (i32.lt_u (local.get $label) (local.get $C))
          (then
            (f32.convert_i32_u
              (i32.lt_u (call $before (local.get $from) (local.get $C) (local.get $label)) (local.get $k))))
          (else (f32.const 0))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
