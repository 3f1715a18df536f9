;; conv2d_micro_steps.wat: joined into functions: adds Σ_k p_i[k] ⊗ b[k][8] to the sums c_i of 4 rows, `left` k of them.
;;
;; Technique   four k a turn, so that moving four pointers costs one instruction a k. The rows' pointers stay where the last
;;             turn began, b goes on behind the last k
(block $done
  (loop $next
    ;; rows
    ;;   1  offset=0
    ;;   2  offset=4
    ;;   3  offset=8
    ;;   4  offset=12

    ;; for each row
    (local.set $b0 (v128.load (local.get $b)))
    (local.set $b1 (v128.load offset=16 (local.get $b)))
    (local.set $x (v128.load32_splat VALUE (local.get $p0)))
    (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c00)))
    (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c01)))
    (local.set $x (v128.load32_splat VALUE (local.get $p1)))
    (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c10)))
    (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c11)))
    (local.set $x (v128.load32_splat VALUE (local.get $p2)))
    (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c20)))
    (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c21)))
    (local.set $x (v128.load32_splat VALUE (local.get $p3)))
    (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c30)))
    (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c31)))
    (local.set $b (i32.add (local.get $b) (i32.const 32)))
    (br_if $done (i32.eq (local.get $left) (i32.const NAME)))
    ;; end
    (local.set $p0 (i32.add (local.get $p0) (i32.const 16)))
    (local.set $p1 (i32.add (local.get $p1) (i32.const 16)))
    (local.set $p2 (i32.add (local.get $p2) (i32.const 16)))
    (local.set $p3 (i32.add (local.get $p3) (i32.const 16)))
    (local.set $left (i32.sub (local.get $left) (i32.const 4)))
    (br $next)))
