;; largest.wat: joined into other modules: the largest element of a row; NaN where any is NaN, -Inf where there is none.
;; Joined behind common.wat.

  (func $largest (param $from i32) (param $count i32) (result f32)
    (local $best v128)
    (local.set $best (f32x4.splat (f32.const -inf)))
    (block $done
      (loop $nextQuad
        (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
        (local.set $best (f32x4.max (local.get $best) (v128.load (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextQuad)))
    (local.set $best
      (f32x4.max (local.get $best)
        (call $loadSome (local.get $from) (local.get $count) (f32x4.splat (f32.const -inf)))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $best)) (f32x4.extract_lane 1 (local.get $best)))
      (f32.max (f32x4.extract_lane 2 (local.get $best)) (f32x4.extract_lane 3 (local.get $best)))))
