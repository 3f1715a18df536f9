;; conv2d_micro.wat: joined into other modules: 4 rows by 8 columns of a product whose rows of A lie where a table says.
;;
;; Computes    c[i][8] = Σ_t Σ_k a[i][t][k] ⊗ b[t][k][8] + (accumulate ? c : 0) for 4 rows i: row i is an entry of `rows`, the
;;             address of its part of A and that of its part of C, 8 B; t an entry of `taps`, bytes from a row's address to
;;             where a run of k elements lies, 8 B. `from` and `column` are bytes that are added to the addresses of A and C.
;;             Taps whose bit in `met` is 0 are left out; where more than 31 are at once, it is -1
;; Technique   as micro.wat: 8 sums of 4 lanes, for each k 2 loads of B and 4 broadcasting loads, here right out of the
;;             picture: A is not packed
;; Rows        a row that is listed twice is computed twice and stored twice: all of C is read before it is written
  (func $microRows (param $rows i32) (param $taps i32) (param $tapCount i32) (param $k i32) (param $from i32)
                   (param $b i32) (param $column i32) (param $accumulate i32) (param $met i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $left i32)
    (local $q0 i32) (local $q1 i32) (local $q2 i32) (local $q3 i32)
    (loop $nextTap
      (if (i32.eqz (i32.and (local.get $met) (i32.const 1)))
        (then (local.set $b (i32.add (local.get $b) (i32.shl (local.get $k) (i32.const 5)))))
        (else
          (local.set $p0 (i32.add (local.get $from) (i32.load (local.get $taps))))
          (local.set $p1 (i32.add (local.get $p0) (i32.load offset=8 (local.get $rows))))
          (local.set $p2 (i32.add (local.get $p0) (i32.load offset=16 (local.get $rows))))
          (local.set $p3 (i32.add (local.get $p0) (i32.load offset=24 (local.get $rows))))
          (local.set $p0 (i32.add (local.get $p0) (i32.load (local.get $rows))))
          (local.set $left (local.get $k))
          ;; join convolution/conv2d_micro_steps.wat
          ))
      (local.set $met (i32.shr_s (local.get $met) (i32.const 1)))
      (local.set $taps (i32.add (local.get $taps) (i32.const 8)))
      (br_if $nextTap (local.tee $tapCount (i32.sub (local.get $tapCount) (i32.const 1)))))
    (local.set $q0 (i32.add (i32.load offset=4 (local.get $rows)) (local.get $column)))
    (local.set $q1 (i32.add (i32.load offset=12 (local.get $rows)) (local.get $column)))
    (local.set $q2 (i32.add (i32.load offset=20 (local.get $rows)) (local.get $column)))
    (local.set $q3 (i32.add (i32.load offset=28 (local.get $rows)) (local.get $column)))
    ;; join convolution/conv2d_micro_store.wat
  )
