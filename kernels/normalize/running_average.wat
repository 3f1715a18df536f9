;; running_average.wat: an average that moves on, in place, for the CPU device, WebAssembly SIMD.
;;
;; Computes    average[r, c] ← (1 - momentum) · average[r, c] + momentum · scale · value[r, c]
;; Parameters  average, averagePitch, value, valuePitch: addresses, and bytes from one row to the next; rows, columns; momentum,
;;             scale
;; Cost        12 B moved an element: a few thousand elements at most, the channels of a layer
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one
;; Reference   lib/ops/normalize/running-average.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (func (export "runningAverage")
    (param $average i32) (param $averagePitch i32) (param $value i32) (param $valuePitch i32)
    (param $rows i32) (param $columns i32) (param $momentum f32) (param $scale f32)
    (local $a v128) (local $b v128) (local $kept v128) (local $taken v128)
    (local $left i32) (local $target i32) (local $source i32)
    (local.set $kept (f32x4.splat (f32.sub (f32.const 1) (local.get $momentum))))
    (local.set $taken (f32x4.splat (f32.mul (local.get $momentum) (local.get $scale))))
    (loop $nextRow
      (local.set $target (local.get $average))
      (local.set $source (local.get $value))
      (local.set $left (local.get $columns))
      (block $rowDone
        (loop $nextQuad
          (if (i32.lt_u (local.get $left) (i32.const 4))
            (then
              (local.set $a (call $loadSome (local.get $target) (local.get $left) (local.get $kept)))
              (local.set $b (call $loadSome (local.get $source) (local.get $left) (local.get $kept))))
            (else
              (local.set $a (v128.load (local.get $target)))
              (local.set $b (v128.load (local.get $source)))))
          (local.set $a
            (f32x4.add
              (f32x4.mul (local.get $a) (local.get $kept))
              (f32x4.mul (local.get $b) (local.get $taken))))
          (if (i32.lt_u (local.get $left) (i32.const 4))
            (then
              (call $storeSome (local.get $target) (local.get $left) (local.get $a))
              (br $rowDone)))
          (v128.store (local.get $target) (local.get $a))
          (local.set $target (i32.add (local.get $target) (i32.const 16)))
          (local.set $source (i32.add (local.get $source) (i32.const 16)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (local.set $average (i32.add (local.get $average) (local.get $averagePitch)))
      (local.set $value (i32.add (local.get $value) (local.get $valuePitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
)
