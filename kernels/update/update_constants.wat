;; update_constants.wat: joined into the optimizers' modules: what is the same for all elements of a call. `$begin` puts it
;; into these globals, and the loops (update_N.wat) read them into locals of the same names, which the rows use.

  (global $k0 (mut v128) (v128.const i32x4 0 0 0 0))
  (global $k1 (mut v128) (v128.const i32x4 0 0 0 0))
  (global $k2 (mut v128) (v128.const i32x4 0 0 0 0))
  (global $k3 (mut v128) (v128.const i32x4 0 0 0 0))
  (global $k4 (mut v128) (v128.const i32x4 0 0 0 0))
  (global $k5 (mut v128) (v128.const i32x4 0 0 0 0))
  (global $k6 (mut v128) (v128.const i32x4 0 0 0 0))

  (func $splat (param $value f64) (result v128)
    (f32x4.splat (f32.demote_f64 (local.get $value))))
