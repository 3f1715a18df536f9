;; conv2d_micro_store.wat: joined into functions: stores the sums c_i of 4 rows of 8 at q_i, with what is there where
;; `accumulate` says so. All of it is read before it is written.
(if (local.get $accumulate)
  (then
    (local.set $c00 (f32x4.add (local.get $c00) (v128.load (local.get $q0))))
    (local.set $c01 (f32x4.add (local.get $c01) (v128.load offset=16 (local.get $q0))))
    (local.set $c10 (f32x4.add (local.get $c10) (v128.load (local.get $q1))))
    (local.set $c11 (f32x4.add (local.get $c11) (v128.load offset=16 (local.get $q1))))
    (local.set $c20 (f32x4.add (local.get $c20) (v128.load (local.get $q2))))
    (local.set $c21 (f32x4.add (local.get $c21) (v128.load offset=16 (local.get $q2))))
    (local.set $c30 (f32x4.add (local.get $c30) (v128.load (local.get $q3))))
    (local.set $c31 (f32x4.add (local.get $c31) (v128.load offset=16 (local.get $q3))))))
(v128.store (local.get $q0) (local.get $c00)) (v128.store offset=16 (local.get $q0) (local.get $c01))
(v128.store (local.get $q1) (local.get $c10)) (v128.store offset=16 (local.get $q1) (local.get $c11))
(v128.store (local.get $q2) (local.get $c20)) (v128.store offset=16 (local.get $q2) (local.get $c21))
(v128.store (local.get $q3) (local.get $c30)) (v128.store offset=16 (local.get $q3) (local.get $c31))
