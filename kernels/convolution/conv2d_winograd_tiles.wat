;; conv2d_winograd_tiles.wat: joined into conv2d_winograd.wat: the products of a place's tiles and filters.
;;
;; Technique   as micro.wat

  ;; c[4][8] = Σ_k a[4][k] ⊗ b[k][8], 32 k on their own; k is a multiple of 4. The first rows are at p0 and q0.
  (func $fourTiles (param $k i32) (param $p0 i32) (param $aPitch i32) (param $b i32) (param $q0 i32) (param $cPitch i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $q1 i32) (local $q2 i32) (local $q3 i32)
    (local $left i32) (local $accumulate i32)
    (local.set $p1 (i32.add (local.get $p0) (local.get $aPitch)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $aPitch)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $aPitch)))
    (loop $nextPart
      (local.set $left (select (local.get $k) (i32.const 32) (i32.lt_u (local.get $k) (i32.const 32))))
      (local.set $k (i32.sub (local.get $k) (local.get $left)))
      (local.set $c00 (v128.const f32x4 0 0 0 0))
      (local.set $c01 (v128.const f32x4 0 0 0 0))
      (local.set $c10 (v128.const f32x4 0 0 0 0))
      (local.set $c11 (v128.const f32x4 0 0 0 0))
      (local.set $c20 (v128.const f32x4 0 0 0 0))
      (local.set $c21 (v128.const f32x4 0 0 0 0))
      (local.set $c30 (v128.const f32x4 0 0 0 0))
      (local.set $c31 (v128.const f32x4 0 0 0 0))
      ;; join convolution/conv2d_micro_steps.wat
      (local.set $q1 (i32.add (local.get $q0) (local.get $cPitch)))
      (local.set $q2 (i32.add (local.get $q1) (local.get $cPitch)))
      (local.set $q3 (i32.add (local.get $q2) (local.get $cPitch)))
      ;; join convolution/conv2d_micro_store.wat
      (local.set $accumulate (i32.const 1))
      (local.set $p0 (i32.add (local.get $p0) (i32.const 16)))
      (local.set $p1 (i32.add (local.get $p1) (i32.const 16)))
      (local.set $p2 (i32.add (local.get $p2) (i32.const 16)))
      (local.set $p3 (i32.add (local.get $p3) (i32.const 16)))
      (br_if $nextPart (local.get $k))))
