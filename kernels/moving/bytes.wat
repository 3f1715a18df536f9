;; bytes.wat: bytes (u8) as numbers, and rows of a table of them by their numbers, for the CPU device, WebAssembly SIMD.
;;
;; Computes    scaleBytes   to[k] = from[k] · scale
;;             gatherBytes  to[i, :] = table[indices[i], :] · scale;  NaN where there is no such row
;; Parameters  scaleBytes: from u8 [count], to f32 [count], count, scale
;;             gatherBytes: table u8 [R, D], indices [I], to f32 [I, D], R, D, I, scale
;;             scale: two floats, `high` of 16 bits, whose product with a byte is exact, and `low`, what is left of it: the
;;             sum is rounded once (bytes.wgsl)
;; Cost        5 B moved an element: bound by memory bandwidth
;; Reference   lib/ops/moving/bytes.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  ;; four bytes as floats
  (func $scaled (param $bytes v128) (param $high f32) (param $low f32) (result v128)
    (local.set $bytes
      (f32x4.convert_i32x4_u
        (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (local.get $bytes)))))
    (f32x4.add
      (f32x4.mul (local.get $bytes) (f32x4.splat (local.get $high)))
      (f32x4.mul (local.get $bytes) (f32x4.splat (local.get $low)))))

  (func $scaleBytes (export "scaleBytes")
    (param $from i32) (param $to i32) (param $count i32) (param $high f32) (param $low f32)
    (block $done
      (loop $nextQuad
        (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
        (v128.store (local.get $to)
          (call $scaled (v128.load32_zero (local.get $from)) (local.get $high) (local.get $low)))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextQuad)))
    (block $none
      (loop $next
        (br_if $none (i32.eqz (local.get $count)))
        (v128.store32_lane 0 (local.get $to)
          (call $scaled (i32x4.splat (i32.load8_u (local.get $from))) (local.get $high) (local.get $low)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next))))

  (func (export "gatherBytes")
    (param $table i32) (param $indices i32) (param $to i32) (param $R i32) (param $D i32) (param $I i32)
    (param $high f32) (param $low f32)
    (local $row i32)
    (loop $next
      (local.set $row (i32.load (local.get $indices)))
      (if (i32.ge_u (local.get $row) (local.get $R))
        (then (call $fillElements (local.get $to) (local.get $D) (i32x4.splat (i32.const 0x7fc00000))))
        (else
          (call $scaleBytes
            (i32.add (local.get $table) (i32.mul (local.get $row) (local.get $D)))
            (local.get $to) (local.get $D) (local.get $high) (local.get $low))))
      (local.set $indices (i32.add (local.get $indices) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $D) (i32.const 2))))
      (br_if $next (local.tee $I (i32.sub (local.get $I) (i32.const 1))))))
)
