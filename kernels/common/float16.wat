;; float16.wat: rounding to 16-bit floats (IEEE 754 binary16), which the CPU device stores as wider ones. Joined into other texts.
;;
;; Method      Of two equally near ones the even one. Down to 2^-14 by integers, of which the lower 13 digits of the fraction go;
;;             below, where all are multiples of 2^-24, as those of float32 between 0.5 and 1 are, by adding 0.5 and taking it
;;             away. From 65520 on infinity; NaN stays.
;; Reference   lib/float16.ts
  (func $nearestFloat16 (param $x v128) (result v128)
    (local $size v128) (local $rounded v128)
    (local.set $size (v128.and (local.get $x) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff)))
    (local.set $rounded
      (v128.and
        (i32x4.add
          (i32x4.add (local.get $size) (v128.const i32x4 0xfff 0xfff 0xfff 0xfff))
          (v128.and (i32x4.shr_u (local.get $size) (i32.const 13)) (v128.const i32x4 1 1 1 1)))
        (v128.const i32x4 0xffffe000 0xffffe000 0xffffe000 0xffffe000)))
    (local.set $rounded
      (v128.bitselect
        (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000)
        (local.get $rounded)
        (i32x4.ge_s (local.get $rounded) (v128.const i32x4 0x47800000 0x47800000 0x47800000 0x47800000))))
    (local.set $rounded
      (v128.bitselect
        (f32x4.sub
          (f32x4.add (local.get $size) (v128.const f32x4 0.5 0.5 0.5 0.5))
          (v128.const f32x4 0.5 0.5 0.5 0.5))
        (local.get $rounded)
        (i32x4.lt_s (local.get $size) (v128.const i32x4 0x38800000 0x38800000 0x38800000 0x38800000))))
    (local.set $rounded
      (v128.bitselect
        (local.get $size)
        (local.get $rounded)
        (i32x4.gt_s (local.get $size) (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000))))
    (v128.or
      (local.get $rounded)
      (v128.and (local.get $x) (v128.const i32x4 0x80000000 0x80000000 0x80000000 0x80000000))))
