;; matmul_dots.wat: C = A · B for the CPU device where A and B both run along k, WebAssembly SIMD.
;;
;; Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32, for a block of C: A, B and C are pointers to where the block begins.
;;             Rows of A, columns of B and rows of C are `aRow`, `bColumn` and `ldc` bytes apart; k lie side by side,
;;             and so do columns of C. K >= 1
;; Technique   nothing is packed: 4 rows of A by 2 columns of B, 8 sums of products in registers, whose 4 lanes are added
;;             at the end. A step of 4 k: 6 loads and 8 multiply-adds of 4 lanes, 64 flop for 96 B, which come from the
;;             first-level cache. With one row or one column, a matrix times a vector, memory bounds it: 2 flop for the
;;             4 B of an element of the matrix, which is as fast as it comes.
;; Cache       two columns of 1024 k are 8 KiB; 128 rows of A are 512 KiB
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    blocks of 1024 k, 256 in each of 4 lanes, are added: rounding errors grow with √256 + √(K/1024), not √K
;; Edges       rows and columns that do not exist repeat another one and are not stored
;; Reference   lib/ops/matmul/matmul.ts
(module
  (import "env" "memory" (memory 1))

  ;; The sums of products of four rows of A with two columns of B, all of which run along memory, over k; into the first
  ;; `rows` and `columns` of c[4][2], whose rows are `ldc` bytes apart. Lines that do not exist repeat others.
  (func $dots (param $a0 i32) (param $a1 i32) (param $a2 i32) (param $a3 i32) (param $b0 i32) (param $b1 i32) (param $k i32)
              (param $c i32) (param $ldc i32) (param $rows i32) (param $columns i32) (param $accumulate i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $x v128) (local $y0 v128) (local $y1 v128) (local $quads i32)
    ;; K mod 4 elements first, in lane 0.
    (local.set $quads (i32.shr_u (local.get $k) (i32.const 2)))
    (local.set $k (i32.and (local.get $k) (i32.const 3)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $k)))
        (local.set $y0 (v128.load32_zero (local.get $b0)))
        (local.set $y1 (v128.load32_zero (local.get $b1)))
        (local.set $x (v128.load32_zero (local.get $a0)))
        (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c00)))
        (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c01)))
        (local.set $x (v128.load32_zero (local.get $a1)))
        (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c10)))
        (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c11)))
        (local.set $x (v128.load32_zero (local.get $a2)))
        (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c20)))
        (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c21)))
        (local.set $x (v128.load32_zero (local.get $a3)))
        (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c30)))
        (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c31)))
        (local.set $a0 (i32.add (local.get $a0) (i32.const 4)))
        (local.set $a1 (i32.add (local.get $a1) (i32.const 4)))
        (local.set $a2 (i32.add (local.get $a2) (i32.const 4)))
        (local.set $a3 (i32.add (local.get $a3) (i32.const 4)))
        (local.set $b0 (i32.add (local.get $b0) (i32.const 4)))
        (local.set $b1 (i32.add (local.get $b1) (i32.const 4)))
        (local.set $k (i32.sub (local.get $k) (i32.const 1)))
        (br $next)))
    (block $done
      (br_if $done (i32.eqz (local.get $quads)))
      (loop $next
        (local.set $y0 (v128.load (local.get $b0)))
        (local.set $y1 (v128.load (local.get $b1)))
        (local.set $x (v128.load (local.get $a0)))
        (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c00)))
        (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c01)))
        (local.set $x (v128.load (local.get $a1)))
        (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c10)))
        (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c11)))
        (local.set $x (v128.load (local.get $a2)))
        (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c20)))
        (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c21)))
        (local.set $x (v128.load (local.get $a3)))
        (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c30)))
        (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c31)))
        (br_if $done (i32.eq (local.get $quads) (i32.const 1)))
        (local.set $y0 (v128.load offset=16 (local.get $b0)))
        (local.set $y1 (v128.load offset=16 (local.get $b1)))
        (local.set $x (v128.load offset=16 (local.get $a0)))
        (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c00)))
        (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c01)))
        (local.set $x (v128.load offset=16 (local.get $a1)))
        (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c10)))
        (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c11)))
        (local.set $x (v128.load offset=16 (local.get $a2)))
        (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c20)))
        (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c21)))
        (local.set $x (v128.load offset=16 (local.get $a3)))
        (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c30)))
        (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c31)))
        (local.set $a0 (i32.add (local.get $a0) (i32.const 32)))
        (local.set $a1 (i32.add (local.get $a1) (i32.const 32)))
        (local.set $a2 (i32.add (local.get $a2) (i32.const 32)))
        (local.set $a3 (i32.add (local.get $a3) (i32.const 32)))
        (local.set $b0 (i32.add (local.get $b0) (i32.const 32)))
        (local.set $b1 (i32.add (local.get $b1) (i32.const 32)))
        (br_if $next (local.tee $quads (i32.sub (local.get $quads) (i32.const 2))))))
    (call $storePair (local.get $c) (local.get $c00) (local.get $c01) (local.get $columns) (local.get $accumulate))
    (if (i32.eq (local.get $rows) (i32.const 1)) (then (return)))
    (local.set $c (i32.add (local.get $c) (local.get $ldc)))
    (call $storePair (local.get $c) (local.get $c10) (local.get $c11) (local.get $columns) (local.get $accumulate))
    (if (i32.eq (local.get $rows) (i32.const 2)) (then (return)))
    (local.set $c (i32.add (local.get $c) (local.get $ldc)))
    (call $storePair (local.get $c) (local.get $c20) (local.get $c21) (local.get $columns) (local.get $accumulate))
    (if (i32.eq (local.get $rows) (i32.const 3)) (then (return)))
    (local.set $c (i32.add (local.get $c) (local.get $ldc)))
    (call $storePair (local.get $c) (local.get $c30) (local.get $c31) (local.get $columns) (local.get $accumulate)))

  ;; c[0] and, where there are two columns, c[1] = the sums of the lanes of s0 and s1 (+ c where `accumulate`).
  (func $storePair (param $c i32) (param $s0 v128) (param $s1 v128) (param $columns i32) (param $accumulate i32)
    ;; s0.0 s1.0 s0.1 s1.1 + s0.2 s1.2 s0.3 s1.3, then its upper half onto its lower one
    (local.set $s0
      (f32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $s0) (local.get $s1))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $s0) (local.get $s1))))
    (local.set $s0
      (f32x4.add (local.get $s0)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $s0) (local.get $s0))))
    (if (i32.eq (local.get $columns) (i32.const 1))
      (then
        (if (local.get $accumulate)
          (then (local.set $s0 (f32x4.add (v128.load32_zero (local.get $c)) (local.get $s0)))))
        (v128.store32_lane 0 (local.get $c) (local.get $s0)))
      (else
        (if (local.get $accumulate)
          (then (local.set $s0 (f32x4.add (v128.load64_zero (local.get $c)) (local.get $s0)))))
        (v128.store64_lane 0 (local.get $c) (local.get $s0)))))

  ;; aStep = bStep = 4.
  (func (export "dots")
    (param $a i32) (param $aRow i32) (param $b i32) (param $bColumn i32)
    (param $c i32) (param $ldc i32) (param $M i32) (param $N i32) (param $K i32)
    (local $k0 i32) (local $k i32) (local $m i32) (local $n i32) (local $rows i32) (local $columns i32)
    (local $a0 i32) (local $a1 i32) (local $a2 i32) (local $a3 i32) (local $b0 i32) (local $b1 i32)
    (loop $block
      (local.set $k (i32.sub (local.get $K) (local.get $k0)))
      (if (i32.gt_u (local.get $k) (i32.const 1024)) (then (local.set $k (i32.const 1024))))
      (local.set $n (i32.const 0))
      (loop $nextN
        (local.set $columns (i32.sub (local.get $N) (local.get $n)))
        (local.set $b0 (i32.add (local.get $b)
          (i32.add (i32.mul (local.get $n) (local.get $bColumn)) (i32.shl (local.get $k0) (i32.const 2)))))
        (local.set $b1 (local.get $b0))
        (if (i32.gt_u (local.get $columns) (i32.const 1))
          (then
            (local.set $columns (i32.const 2))
            (local.set $b1 (i32.add (local.get $b0) (local.get $bColumn)))))
        (local.set $m (i32.const 0))
        (loop $nextM
          (local.set $rows (i32.sub (local.get $M) (local.get $m)))
          (local.set $a0 (i32.add (local.get $a)
            (i32.add (i32.mul (local.get $m) (local.get $aRow)) (i32.shl (local.get $k0) (i32.const 2)))))
          (local.set $a1 (select (i32.add (local.get $a0) (local.get $aRow)) (local.get $a0)
            (i32.gt_u (local.get $rows) (i32.const 1))))
          (local.set $a2 (select (i32.add (local.get $a1) (local.get $aRow)) (local.get $a0)
            (i32.gt_u (local.get $rows) (i32.const 2))))
          (local.set $a3 (select (i32.add (local.get $a2) (local.get $aRow)) (local.get $a0)
            (i32.gt_u (local.get $rows) (i32.const 3))))
          (call $dots (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $b0) (local.get $b1)
            (local.get $k)
            (i32.add (local.get $c)
              (i32.add (i32.mul (local.get $m) (local.get $ldc)) (i32.shl (local.get $n) (i32.const 2))))
            (local.get $ldc) (local.get $rows) (local.get $columns) (local.get $k0))
          (local.set $m (i32.add (local.get $m) (i32.const 4)))
          (br_if $nextM (i32.lt_u (local.get $m) (local.get $M))))
        (local.set $n (i32.add (local.get $n) (i32.const 2)))
        (br_if $nextN (i32.lt_u (local.get $n) (local.get $N))))
      (local.set $k0 (i32.add (local.get $k0) (local.get $k)))
      (br_if $block (i32.lt_u (local.get $k0) (local.get $K))))))
