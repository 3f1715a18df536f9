;; largest.wat: joined into other modules: the largest element of a row; NaN where any is NaN, -Inf where there is none.
;; Joined behind common.wat. pmax is one instruction, and passes over NaN, which is noted beside it; max takes seven.

  (func $largest (param $from i32) (param $count i32) (result f32)
    (local $x v128) (local $best v128) (local $isNan v128)
    (local.set $best (f32x4.splat (f32.const -inf)))
    (block $done
      (loop $nextQuad
        (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
        (local.set $x (v128.load (local.get $from)))
        (local.set $best (f32x4.pmax (local.get $best) (local.get $x)))
        (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextQuad)))
    (local.set $x (call $loadSome (local.get $from) (local.get $count) (f32x4.splat (f32.const -inf))))
    (local.set $best (f32x4.pmax (local.get $best) (local.get $x)))
    (local.set $isNan (v128.or (local.get $isNan) (f32x4.ne (local.get $x) (local.get $x))))
    (if (v128.any_true (local.get $isNan)) (then (return (f32.const nan))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $best)) (f32x4.extract_lane 1 (local.get $best)))
      (f32.max (f32x4.extract_lane 2 (local.get $best)) (f32x4.extract_lane 3 (local.get $best)))))
