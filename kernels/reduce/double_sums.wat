;; double_sums.wat: joined into other modules behind common.wat: sums of floats that are kept in float64.

  ;; Up to four elements, of which `count` are there.
  (func $loadUpToFour (param $from i32) (param $count i32) (result v128)
    (if (result v128) (i32.ge_u (local.get $count) (i32.const 4))
      (then (v128.load (local.get $from)))
      (else (call $loadSome (local.get $from) (local.get $count) (f32x4.splat (f32.const 0))))))

  ;; to[0 .. 3] += $s, in float64.
  (func $addTo (param $to i32) (param $s v128)
    (v128.store (local.get $to)
      (f64x2.add (v128.load (local.get $to)) (f64x2.promote_low_f32x4 (local.get $s))))
    (v128.store offset=16 (local.get $to)
      (f64x2.add
        (v128.load offset=16 (local.get $to))
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $s) (local.get $s))))))

  (func $finiteOrZero (param $x v128) (result v128)
    (v128.and (local.get $x) (f32x4.lt (f32x4.abs (local.get $x)) (f32x4.splat (f32.const inf)))))
