;; micro.wat: joined into other modules: 4 rows by 8 columns of a product, out of a packed panel of A.
;;
;; Technique   8 sums of 4 lanes in registers; each k takes 2 loads of B, 4 broadcasting loads of A and 8 multiply-adds: 64
;;             flop for 48 B, 3 cycles of loads and 4 of multiply-adds where there are two of both a cycle
;; Limit       8 sums are just as many as the latency of a multiply-add (4 cycles) asks for: a loop of 8 chains and no loads
;;             reaches 55 GFLOP/s where 12 chains reach 59; this one reaches 52
;; Registers   8 accumulators + 2 of B + 4 of A + 1 product = 15 of 16, since V8 loads all that a step needs before it
;;             multiplies; 6 x 8 and 8 x 8 tiles spill and are slower

  ;; c[4][8] = Σ_k a[k][4] ⊗ b[k][8] + (accumulate ? c : 0); the k of b and the rows of c are `bStep` and `ldc` bytes apart.
  ;; A branch ends each step of k: a compiler that moved the loads of many steps to the front would spill.
  (func $micro (param $k i32) (param $a i32) (param $b i32) (param $bStep i32)
               (param $c i32) (param $ldc i32) (param $accumulate i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (block $done
      (loop $next
      ;; rows
      ;;   1  of 2
      ;;   2  of 2

      ;; for each row
        (local.set $b0 (v128.load (local.get $b)))
        (local.set $b1 (v128.load offset=16 (local.get $b)))
        (local.set $x (v128.load32_splat (local.get $a)))
        (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c00)))
        (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c01)))
        (local.set $x (v128.load32_splat offset=4 (local.get $a)))
        (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c10)))
        (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c11)))
        (local.set $x (v128.load32_splat offset=8 (local.get $a)))
        (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c20)))
        (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c21)))
        (local.set $x (v128.load32_splat offset=12 (local.get $a)))
        (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c30)))
        (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c31)))
        (br_if $done (i32.eq (local.get $k) (i32.const NAME)))
        (local.set $a (i32.add (local.get $a) (i32.const 16)))
        (local.set $b (i32.add (local.get $b) (local.get $bStep)))
      ;; end
        (local.set $k (i32.sub (local.get $k) (i32.const 2)))
        (br $next)))
    (local.set $p1 (i32.add (local.get $c) (local.get $ldc)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $ldc)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $ldc)))
    (if (local.get $accumulate)
      (then
        (local.set $c00 (f32x4.add (local.get $c00) (v128.load (local.get $c))))
        (local.set $c01 (f32x4.add (local.get $c01) (v128.load offset=16 (local.get $c))))
        (local.set $c10 (f32x4.add (local.get $c10) (v128.load (local.get $p1))))
        (local.set $c11 (f32x4.add (local.get $c11) (v128.load offset=16 (local.get $p1))))
        (local.set $c20 (f32x4.add (local.get $c20) (v128.load (local.get $p2))))
        (local.set $c21 (f32x4.add (local.get $c21) (v128.load offset=16 (local.get $p2))))
        (local.set $c30 (f32x4.add (local.get $c30) (v128.load (local.get $p3))))
        (local.set $c31 (f32x4.add (local.get $c31) (v128.load offset=16 (local.get $p3))))))
    (v128.store (local.get $c) (local.get $c00))  (v128.store offset=16 (local.get $c) (local.get $c01))
    (v128.store (local.get $p1) (local.get $c10)) (v128.store offset=16 (local.get $p1) (local.get $c11))
    (v128.store (local.get $p2) (local.get $c20)) (v128.store offset=16 (local.get $p2) (local.get $c21))
    (v128.store (local.get $p3) (local.get $c30)) (v128.store offset=16 (local.get $p3) (local.get $c31)))

  ;; Copies the part of a tile [4][8] that lies inside of C, adding to what is there where `accumulate`.
  (func $copyTile (param $tile i32) (param $c i32) (param $ldc i32) (param $rows i32) (param $columns i32)
                  (param $accumulate i32)
    (local $column i32) (local $value f32) (local $at i32)
    (loop $row
      (if (i32.eqz (local.get $rows)) (then (return)))
      (local.set $column (i32.const 0))
      (loop $next
        (local.set $at (i32.add (local.get $c) (i32.shl (local.get $column) (i32.const 2))))
        (local.set $value (f32.load (i32.add (local.get $tile) (i32.shl (local.get $column) (i32.const 2)))))
        (if (local.get $accumulate)
          (then (local.set $value (f32.add (f32.load (local.get $at)) (local.get $value)))))
        (f32.store (local.get $at) (local.get $value))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $tile (i32.add (local.get $tile) (i32.const 32)))
      (local.set $c (i32.add (local.get $c) (local.get $ldc)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br $row)))

  ;; The same for the first `rows` and `columns` of c, by a tile of 128 B where there are fewer than 4 and 8.
  (func $microEdge (param $k i32) (param $a i32) (param $b i32) (param $bStep i32) (param $c i32) (param $ldc i32)
                   (param $rows i32) (param $columns i32) (param $tile i32) (param $accumulate i32)
    (if (i32.and (i32.eq (local.get $rows) (i32.const 4)) (i32.eq (local.get $columns) (i32.const 8)))
      (then
        (call $micro (local.get $k) (local.get $a) (local.get $b) (local.get $bStep) (local.get $c) (local.get $ldc)
          (local.get $accumulate))
        (return)))
    (call $micro (local.get $k) (local.get $a) (local.get $b) (local.get $bStep) (local.get $tile) (i32.const 32)
      (i32.const 0))
    (call $copyTile (local.get $tile) (local.get $c) (local.get $ldc) (local.get $rows) (local.get $columns)
      (local.get $accumulate)))
