;; random.wat: random bits and uniform numbers for the CPU device, WebAssembly SIMD.
;;
;; Computes    bits     to[i] = 32 random bits of element first + i
;;             uniform  to[i] = 24 of them as a number in [0, 1)
;; Parameters  to, first (a multiple of 16), count; state, stream, use: where the bits are drawn; scratch: 64 B
;; Cost        about 1 ns an element
;; Edges       the last 1 to 15 elements are drawn into the scratch memory and copied
;; Reference   lib/ops/random/random.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/philox.wat

  ;; What becomes of a vector $x of bits.
  ;; rows
  ;;   bits     (local.get $x)
  ;;   uniform  (f32x4.mul (f32x4.convert_i32x4_u (i32x4.shr_u (local.get $x) (i32.const 8))) (f32x4.splat (f32.const 0x1p-24)))
  ;; for each row
  (func (export "NAME")
    (param $to i32) (param $first i32) (param $count i32) (param $state i32) (param $stream i32) (param $use i32)
    (param $scratch i32)
    (local $target i32) (local $quad i32) (local $x v128)
    (loop $nextDraw
      (local.set $target
        (select (local.get $to) (local.get $scratch) (i32.ge_u (local.get $count) (i32.const 16))))
      (call $drawBlocks
        (i32.shr_u (local.get $first) (i32.const 2))
        (local.get $state) (local.get $stream) (local.get $use) (local.get $target))
      (local.set $quad (i32.const 0))
      (loop $nextQuad
        (local.set $x (v128.load (i32.add (local.get $target) (local.get $quad))))
        (v128.store (i32.add (local.get $target) (local.get $quad)) VALUE)
        (br_if $nextQuad
          (i32.lt_u (local.tee $quad (i32.add (local.get $quad) (i32.const 16))) (i32.const 64))))
      (if (i32.lt_u (local.get $count) (i32.const 16))
        (then
          (call $copyElements (local.get $scratch) (local.get $to) (local.get $count))
          (return)))
      (local.set $to (i32.add (local.get $to) (i32.const 64)))
      (local.set $first (i32.add (local.get $first) (i32.const 16)))
      (br_if $nextDraw (local.tee $count (i32.sub (local.get $count) (i32.const 16))))))
  ;; end
)
